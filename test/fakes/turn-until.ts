/** Turns the event loop until it is so: for what comes over a local socket. */
export async function turnUntil(isSo: () => boolean): Promise<void> {
  const limit = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > limit) throw new Error('not so within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
