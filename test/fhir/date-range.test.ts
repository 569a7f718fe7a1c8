import test from 'ava';
import fc from 'fast-check';
import { dateRange } from '../../src/fhir/date-range.js';

const range = (text: string) => {
  const found = dateRange(text);
  return found && [new Date(found.low).toISOString(), new Date(found.high).toISOString()];
};

test('a date covers as much as its precision says', (t) => {
  t.deepEqual(range('2012'), ['2012-01-01T00:00:00.000Z', '2012-12-31T23:59:59.999Z']);
  t.deepEqual(range('2012-02'), ['2012-02-01T00:00:00.000Z', '2012-02-29T23:59:59.999Z']);
  t.deepEqual(range('2012-12'), ['2012-12-01T00:00:00.000Z', '2012-12-31T23:59:59.999Z']);
  t.deepEqual(range('2012-02-29'), ['2012-02-29T00:00:00.000Z', '2012-02-29T23:59:59.999Z']);
  t.deepEqual(range('2012-02-29T10:05'), ['2012-02-29T10:05:00.000Z', '2012-02-29T10:05:59.999Z']);
  t.deepEqual(range('2012-02-29T10:05:07'), ['2012-02-29T10:05:07.000Z', '2012-02-29T10:05:07.999Z']);
  t.deepEqual(range('2012-02-29T10:05:07.25Z'), ['2012-02-29T10:05:07.250Z', '2012-02-29T10:05:07.250Z']);
});

test('an offset is taken into account, and without one the time is UTC', (t) => {
  t.is(range('2012-01-01T00:30:00+02:00')?.[0], '2011-12-31T22:30:00.000Z');
  t.is(range('2012-12-31T23:30:00-01:30')?.[0], '2013-01-01T01:00:00.000Z');
  t.deepEqual(range('2012-01-01T00:30:00'), range('2012-01-01T00:30:00Z'));
});

test('a leap second is the first second of the next minute', (t) => {
  t.is(range('2016-12-31T23:59:60Z')?.[0], '2017-01-01T00:00:00.000Z');
});

test('years before 100 are not years of the last century', (t) => {
  t.is(range('0099')?.[0], '0099-01-01T00:00:00.000Z');
  t.is(range('0099')?.[1], '0099-12-31T23:59:59.999Z');
});

test('what is no date of the calendar has no range', (t) => {
  for (const text of [
    '',
    '0000',
    '12',
    '20120',
    '2012-00',
    '2012-13',
    '2012-1',
    '2011-02-29',
    '2012-04-31',
    '2012-01-00',
    '2012-01-01T',
    '2012-01-01T10',
    '2012-01-01T24:00',
    '2012-01-01T10:60',
    '2012-01-01T10:00:61',
    '2012-01-01T10:00:00+15:00',
    '2012-01-01T10:00:00+0200',
    '2012-01-01 10:00:00',
    '2012-01-01T10:00:00Zx',
    ' 2012',
    '2012\n',
  ]) {
    t.is(dateRange(text), undefined, text);
  }
});

test('every instant is covered by the ranges of its own prefixes', (t) => {
  const moments = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moments, (moment) => {
      const text = moment.toISOString();
      const prefixes = [4, 7, 10, 16, 19, 24].map((length) => dateRange(text.slice(0, length)));
      return prefixes.every(
        (found) => found && found.low <= moment.getTime() && moment.getTime() <= found.high,
      );
    }),
  );
  t.pass();
});
