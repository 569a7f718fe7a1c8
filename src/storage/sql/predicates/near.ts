import type { Nearness } from '../../search-store.js';
import type { Slots } from '../slots.js';
import type { RowTest } from './row-test.js';

/** Mean radius of the earth in meters (IUGG). */
const RADIUS = 6_371_008.8;
/** A little more than what rounding can take away. */
const SLACK = 1e-6;
const HALF_TURN = 180;

const LATITUDE = '@.SP_VALUE';
const LONGITUDE = '@.SP_CANON_VALUE';

/** The half chord between the row's place and the point, squared (haversine). The radius is that of a sphere. */
const HAVERSINE =
  `sin(radians(${LATITUDE} - ?) / 2) * sin(radians(${LATITUDE} - ?) / 2)` +
  ` + cos(radians(?)) * cos(radians(${LATITUDE})) * sin(radians(${LONGITUDE} - ?) / 2) * sin(radians(${LONGITUDE} - ?) / 2)`;

/**
 * Whether a place is near a point: latitudes through the key, longitudes by one window (two where the circle crosses
 * the antimeridian), and what is left by the distance along the great circle.
 */
export function toPlaceRow({ latitude, longitude, meters }: Nearness, slots: Slots): RowTest {
  const angle = meters / RADIUS;
  const reach = toDegrees(angle) + SLACK;
  const [one, other] = longitudes(latitude, longitude, angle);
  const chord = angle >= Math.PI ? 1 : Math.sin(angle / 2) ** 2;
  return {
    sql:
      `${LATITUDE} >= ? and ${LATITUDE} <= ?` +
      ` and ((${LONGITUDE} >= ? and ${LONGITUDE} <= ?) or (${LONGITUDE} >= ? and ${LONGITUDE} <= ?))` +
      ` and ${HAVERSINE} <= ?`,
    slots: slots.addAll([
      latitude - reach,
      latitude + reach,
      ...one,
      ...other,
      latitude,
      latitude,
      latitude,
      longitude,
      longitude,
      chord + Number.EPSILON,
    ]),
    reach: 'range',
  };
}

type Window = readonly [from: number, to: number];

const EVERYWHERE: Window = [-HALF_TURN, HALF_TURN];

/** The longitudes that a circle covers; a circle around a pole covers all. */
function longitudes(latitude: number, longitude: number, angle: number): readonly [Window, Window] {
  const sine = Math.sin(angle) / Math.cos(toRadians(latitude));
  const hasPole = Math.abs(latitude) + toDegrees(angle) >= HALF_TURN / 2;
  if (hasPole || !(sine < 1)) return [EVERYWHERE, EVERYWHERE];
  const width = toDegrees(Math.asin(sine)) + SLACK;
  const window: Window = [longitude - width, longitude + width];
  if (window[0] < -HALF_TURN) return [window, [window[0] + 2 * HALF_TURN, HALF_TURN]];
  if (window[1] > HALF_TURN) return [window, [-HALF_TURN, window[1] - 2 * HALF_TURN]];
  return [window, window];
}

function toDegrees(radians: number): number {
  return (radians * HALF_TURN) / Math.PI;
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / HALF_TURN;
}
