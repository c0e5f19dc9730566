import styles from './WaitingCount.module.css';
import { useApprovalsLive, useWaiting } from './waiting';

/** How many requests and reviews wait for this person, beside the menu's word. */
export function WaitingCount() {
  useApprovalsLive();
  const waiting = useWaiting();
  const n = (waiting?.decide ?? 0) + (waiting?.review ?? 0);
  if (n === 0) return null;
  return (
    <span className={styles.count} data-bad={(waiting?.overdue ?? 0) > 0 || undefined}>
      {n}<span className="hidden"> {n === 1 ? 'waits' : 'wait'} for you{(waiting?.overdue ?? 0) > 0 && `, ${waiting?.overdue} overdue`}</span>
    </span>
  );
}
