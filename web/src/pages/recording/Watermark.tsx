import { useEffect, useState } from 'react';
import styles from './Player.module.css';

const places = [[6, 10], [52, 72], [30, 40], [58, 14], [8, 66], [38, 84], [20, 22], [60, 48]] as const;

/**
 * Who watches, written over the picture: footage filmed off a screen names its
 * source. It moves, so that no one corner can be cropped away.
 */
export function Watermark({ text }: { text: string }) {
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setAt((n) => (n + 1) % places.length), 6000);
    return () => window.clearInterval(timer);
  }, []);
  const [x, y] = places[at] ?? places[0];
  const [x2, y2] = places[(at + 3) % places.length] ?? places[1];
  return (
    <div className={styles.watermark} aria-hidden>
      <span style={{ left: `${x}%`, top: `${y}%` }}>{text}</span>
      <span style={{ left: `${x2}%`, top: `${y2}%` }}>{text}</span>
    </div>
  );
}
