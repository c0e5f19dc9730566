import { IconFiles, IconMicrophone, IconMovieOff, IconPhoto } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Card } from '../../api/types';
import { Badge, MediaBadge } from '../../parts/badges';
import { bytes, length, shortTime, time } from '../../words/time';
import { categoryName, officerName } from '../../words/names';
import styles from './Card.module.css';

interface Props {
  card: Card;
  /** place in the list, for the keyboard */
  at: number;
  onOpen: () => void;
}

/** The picture of a recording, or a sign that says why there is none. */
function Picture({ card }: { card: Card }) {
  const [failed, setFailed] = useState('');
  const Sign = card.state === 'audio' ? IconMicrophone : card.state === 'none' ? IconMovieOff : IconPhoto;
  return (
    <span className={styles.picture}>
      {card.poster && failed !== card.poster
        ? <img src={card.poster} alt="" loading="lazy" decoding="async" onError={() => setFailed(card.poster)} />
        : <Sign size={30} stroke={1.3} aria-hidden />}
    </span>
  );
}

const Length = ({ ms }: { ms: number }) => <>{ms > 0 ? length(ms) : '–:––'}</>;

export function CardTile({ card, at, onOpen }: Props) {
  return (
    <Link to={`/recordings/${card.id}`} className={styles.tile} data-card={at} onClick={onOpen}>
      <span className={styles.frame}>
        <Picture card={card} />
        <span className={styles.length}><span className="hidden">, length </span><Length ms={card.durationMs} /></span>
        <span className={styles.over}><MediaBadge state={card.state} why={card.why} /></span>
      </span>
      <span className={styles.text}>
        <span className={styles.who}><strong>{officerName(card.officer)}</strong><span>{shortTime(card.startedAt)}</span></span>
        <span className={styles.device}>{card.device}</span>
        <span className={styles.marks}>
          <Badge tone="plain">{categoryName(card.category)}</Badge>
          {card.segments > 1 && <span className={styles.parts} title={`${card.segments} segments`}><IconFiles size={14} aria-hidden />{card.segments}<span className="hidden"> segments</span></span>}
        </span>
      </span>
    </Link>
  );
}

export const tableColumns = ['', 'Officer', 'Time', 'Camera', 'Category', 'Length', 'Size', 'State'];

export function CardRow({ card, at, onOpen }: Props) {
  return (
    <Link to={`/recordings/${card.id}`} className={styles.line} data-card={at} onClick={onOpen}>
      <Picture card={card} />
      <strong className={styles.officer}>{officerName(card.officer)}</strong>
      <span>{time(card.startedAt)}</span>
      <span className={styles.device}>{card.device}</span>
      <span className={styles.wide}><Badge tone="plain">{categoryName(card.category)}</Badge></span>
      <span className={styles.number}>
        {card.segments > 1 && <span className={styles.parts}><IconFiles size={14} aria-hidden />{card.segments}<span className="hidden"> segments, </span></span>}
        <Length ms={card.durationMs} />
      </span>
      <span className={`${styles.number ?? ''} ${styles.size ?? ''}`}>{bytes(card.bytes)}</span>
      <span className={styles.state}><MediaBadge state={card.state} why={card.why} /></span>
    </Link>
  );
}
