import { useEffect, useRef, useState } from 'react';
import { full } from '../../words/time';
import styles from './Player.module.css';

const places = [[6, 10], [52, 72], [30, 40], [58, 14], [8, 66], [38, 84], [20, 22], [60, 48]] as const;
const movesEvery = 6;

interface Props {
  /** who watches: name and collar number */
  text: string;
  /** the time by the server's clock when the consultation was answered */
  now: string;
  /** told when the mark is no longer over the picture: somebody has taken it out of the page */
  onMissing: () => void;
}

/** Whether the mark stands in the page, for everybody to see. */
function shows(mark: HTMLElement | null, text: string): boolean {
  return !!mark?.isConnected && mark.childElementCount === 2
    && [...mark.children].every((e) => e.textContent.startsWith(text) && e.getBoundingClientRect().width > 0 && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
}

/**
 * Who watches and when, written over the picture: footage filmed off a screen
 * names its source. It moves, so that no one corner can be cropped away, and
 * its clock is the server's, so that setting one's own changes nothing.
 */
export function Watermark({ text, now, onMissing }: Props) {
  const mark = useRef<HTMLDivElement>(null);
  const [clock, setClock] = useState(() => new Date(now));
  const missing = useRef(onMissing);
  useEffect(() => {
    missing.current = onMissing;
  });
  useEffect(() => {
    const ahead = Date.parse(now) - performance.now();
    const timer = window.setInterval(() => {
      if (!shows(mark.current, text)) missing.current();
      setClock(new Date(ahead + performance.now()));
    }, 1000);
    return () => window.clearInterval(timer);
  }, [now, text]);
  const turn = Math.floor(clock.getTime() / 1000 / movesEvery);
  const [x, y] = places[turn % places.length] ?? places[0];
  const [x2, y2] = places[(turn + 3) % places.length] ?? places[1];
  const says = `${text} · ${full(clock)}`;
  return (
    <div className={styles.watermark} ref={mark} data-testid="watermark" aria-hidden>
      <span style={{ left: `${x}%`, top: `${y}%` }}>{says}</span>
      <span style={{ left: `${x2}%`, top: `${y2}%` }}>{says}</span>
    </div>
  );
}
