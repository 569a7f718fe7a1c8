/** The time that versions are dated by: milliseconds since 1970 UTC. */
export interface ServerClock {
  (): number;
  /** From now on the clock gives nothing below `floor`: versions must come after what another server has exported. */
  raise(floor: number): void;
}

/** A clock that can be raised. */
export function serverClock(clock: () => number): ServerClock {
  let least = 0;
  const now = (): number => Math.max(clock(), least);
  return Object.assign(now, {
    raise: (floor: number): void => {
      least = Math.max(least, floor);
    },
  });
}
