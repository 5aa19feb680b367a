/** How long to wait before a server that crashed is started again, and when to give up. */

/** A second is unnoticed, half a minute is the longest that someone waits for a light bulb. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** A server that crashes this often so quickly will crash again. */
const CRASHES = 5;
const WITHIN_MS = 5 * 60_000;

export class Patience {
  private crashes: number[] = [];

  /** The milliseconds to wait after a crash at `now`, or undefined when it is time to give up. */
  afterCrash(now: number): number | undefined {
    this.crashes = [...this.crashes.filter((each) => now - each < WITHIN_MS), now];
    if (this.crashes.length >= CRASHES) {
      return undefined;
    }
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 3 ** (this.crashes.length - 1));
  }

  /** Forgets the crashes, because the user wants another try. */
  begin(): void {
    this.crashes = [];
  }
}
