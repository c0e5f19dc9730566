import {
  IconAlertTriangle, IconCheck, IconClock, IconEyeOff, IconLoader2, IconLock, IconMicrophone, IconShieldLock, IconX, type Icon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Class, MediaState } from '../api/types';
import styles from './badges.module.css';

export type Tone = 'plain' | 'accent' | 'good' | 'warn' | 'bad';

/** A state in words with a sign of its own: never colour alone. */
export function Badge({ tone, icon: Mark, children, title }: { tone: Tone; icon?: Icon; children: ReactNode; title?: string }) {
  return (
    <span className={styles.badge} data-tone={tone} title={title}>
      {Mark && <Mark size={13} stroke={2} aria-hidden />}
      {children}
    </span>
  );
}

const media: Partial<Record<MediaState, [Tone, Icon, string]>> = {
  pending: ['accent', IconClock, 'Being prepared'],
  audio: ['plain', IconMicrophone, 'Sound only'],
  none: ['warn', IconEyeOff, 'Cannot be shown as video'],
  proxy: ['plain', IconLoader2, 'Needs a viewing copy'],
};

/** How a recording can be watched, where that needs a word at all. */
export function MediaBadge({ state, why }: { state: MediaState; why?: string }) {
  const b = media[state];
  return b && <Badge tone={b[0]} icon={b[1]} title={why}>{b[2]}</Badge>;
}

/** How closely a recording is kept, where that is more closely than others. */
export function ClassBadge({ of }: { of: Class }) {
  if (of === 'restricted') return <Badge tone="warn" icon={IconLock}>Restricted</Badge>;
  return of === 'confidential' && <Badge tone="bad" icon={IconShieldLock}>Confidential</Badge>;
}

export const toneIcon: Record<Tone, Icon> = { plain: IconClock, accent: IconClock, good: IconCheck, warn: IconAlertTriangle, bad: IconX };
