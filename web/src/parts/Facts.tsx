import type { ReactNode } from 'react';
import styles from './Facts.module.css';

/** Names and values, one pair a line; pairs whose value is empty are left out. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {rows.filter(([, v]) => v !== '' && v !== null && v !== undefined && v !== false).map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}
