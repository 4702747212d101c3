import type { ImageLookup, Pull } from './image-lookup.ts';

/** The images on a node: what a pull brings, what is there already, and what a test wants to happen instead. */
export class NodeImages {
  readonly #lookup: Pick<ImageLookup, 'pull'>;
  readonly #present = new Map<string, Pull>();
  readonly #held = new Map<string, Pull>();
  readonly #instead = new Map<string, Pull>();

  constructor(lookup: Pick<ImageLookup, 'pull'>) {
    this.#lookup = lookup;
  }

  /** As the kubelet: what is present is not pulled again, unless the policy is `Always`. */
  async get(image: string, pullPolicy: string): Promise<Pull> {
    const present = this.#present.get(image);
    if (present && pullPolicy !== 'Always') return present;
    const pull = this.#instead.get(image) ?? this.#held.get(image) ?? (await this.#lookup.pull(image));
    if ('ids' in pull) this.#present.set(image, pull);
    return pull;
  }

  /** What every pull of that image brings from now on; undefined = what the registry serves. */
  setPull(image: string, pull: Pull | undefined): void {
    if (pull) this.#instead.set(image, pull);
    else this.#instead.delete(image);
  }

  /** The image stays what it is in the registry at this moment. */
  async holdDigest(image: string): Promise<void> {
    this.#held.set(image, await this.#lookup.pull(image));
  }

  releaseDigest(image: string): void {
    this.#held.delete(image);
  }
}
