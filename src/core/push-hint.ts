/** What a webhook claims: "this tag was pushed there". A place to look, never a fact; the registry is asked before anything changes. */
export interface PushHint {
  /** Sender format, for logs and metrics: `dockerhub`, `registry`. */
  readonly provider: string;
  /** The sender's id of the delivery or event, where it has one. */
  readonly deliveryId?: string;
  /** Registry host as the payload names it, lower case. */
  readonly registry: string;
  /** Repository, lower case, Docker Hub's `library/` included. */
  readonly repository: string;
  readonly tag: string;
  readonly digest?: string;
}
