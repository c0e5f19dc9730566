import { describe, expect, it } from 'vitest';
import { addDays, ago, bytes, full, isoDay, known, length, lengthInWords, startOfDay, utc } from './time';

describe('times are on the clock of the force', () => {
  it('shows winter and summer time with their names', () => {
    expect(full('2026-11-21T21:40:05Z')).toBe('21 Nov 2026, 21:40:05 GMT');
    expect(full('2026-07-01T23:30:00Z')).toBe('2 Jul 2026, 00:30:00 BST');
    expect(isoDay('2026-07-01T23:30:00Z')).toBe('2026-07-02');
  });
  it('finds the first instant of a day, also when the clocks change', () => {
    expect(startOfDay('2026-11-21')).toBe('2026-11-21T00:00:00Z');
    expect(startOfDay('2026-07-01')).toBe('2026-06-30T23:00:00Z');
    expect(startOfDay('2026-03-29')).toBe('2026-03-29T00:00:00Z'); // forward at 01:00
    expect(startOfDay('2026-10-25')).toBe('2026-10-24T23:00:00Z'); // back at 02:00
  });
  it('keeps milliseconds in UTC', () => expect(utc('2026-11-21T21:40:05.120Z')).toBe('2026-11-21 21:40:05.120 UTC'));
  it('counts days over a month', () => expect(addDays('2026-02-28', 1)).toBe('2026-03-01'));
  it('knows no time when there is none', () => {
    expect(known('0001-01-01T00:00:00Z')).toBe(false);
    expect(known('')).toBe(false);
    expect(known('2026-01-01T00:00:00Z')).toBe(true);
  });
});

describe('lengths and sizes', () => {
  it.each([[0, '0:00'], [7_900, '0:07'], [750_000, '12:30'], [3_729_000, '1:02:09']])('%d ms is %s', (ms, text) =>
    expect(length(ms)).toBe(text));
  it.each([[400, '400 milliseconds'], [1000, '1 second'], [2500, '2.5 seconds'], [125_000, '2 minutes 5 seconds'], [-3_600_000, '1 hour']])(
    '%d ms in words is %s', (ms, text) => expect(lengthInWords(ms)).toBe(text));
  it.each([[812, '812 bytes'], [4_100_000, '4.1 MB'], [999_600, '1.0 MB'], [12_345_678_901, '12 GB']])('%d is %s', (n, text) =>
    expect(bytes(n)).toBe(text));
  it('says how long ago', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(ago('2026-11-21T11:59:57Z', now)).toBe('just now');
    expect(ago('2026-11-21T11:55:00Z', now)).toBe('5 min ago');
    expect(ago('2026-11-19T11:55:00Z', now)).toBe('19 Nov 2026, 11:55');
  });
});
