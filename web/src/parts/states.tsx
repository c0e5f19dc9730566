// What a page shows when it has nothing else to show: waiting, empty, failed.
import { Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconCloudOff, IconLock, IconQuestionMark, IconShieldX, type Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Problem } from '../api/client';
import styles from './states.module.css';

interface NoticeProps {
  icon: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  tone?: 'plain' | 'warn' | 'bad';
  /** stands for the whole page, so its title is the page's heading */
  page?: boolean;
}

export function Notice({ icon: Mark, title, children, action, tone = 'plain', page }: NoticeProps) {
  const Title = page ? 'h1' : 'h2';
  return (
    <section className={styles.notice} data-tone={tone} role={tone === 'bad' ? 'alert' : undefined}>
      <span className={styles.mark}><Mark size={26} stroke={1.6} aria-hidden /></span>
      <Title>{title}</Title>
      {children && <div className={styles.text}>{children}</div>}
      {action}
    </section>
  );
}

const titles: Record<string, [Icon, string, string]> = {
  offline: [IconCloudOff, 'Custos cannot be reached', 'Check the network of this computer. Stored recordings are not affected, and this page goes on by itself when the connection is back.'],
  denied: [IconLock, 'You may not see this', 'Ask whoever looks after Custos in your force if your work needs it.'],
  not_found: [IconQuestionMark, 'There is no such recording', 'It does not exist, or it is not one that you may know of.'],
  corrupt: [IconShieldX, 'The stored data is not what it must be', 'It is not shown. Tell whoever looks after Custos in your force at once.'],
  too_many: [IconCloudOff, 'That was too much at once', 'Wait a few seconds, then try again.'],
  unavailable: [IconCloudOff, 'Custos cannot do this just now', 'Try again in a minute.'],
};

/** A failed request, in the words of the server, with a way to try again. */
export function Failure({ error, retry, busy, page }: { error: Error; retry?: () => void; busy?: boolean; page?: boolean }) {
  const problem = error instanceof Problem ? error : undefined;
  const [icon, title, otherwise] = titles[problem?.code ?? ''] ?? [IconAlertTriangle, 'That did not work', 'Nothing was changed. Try again in a minute.'];
  return (
    <Notice
      icon={icon}
      title={title}
      tone={problem?.code === 'denied' || problem?.code === 'not_found' ? 'plain' : 'bad'}
      page={page}
      action={retry && problem?.code !== 'denied' && <Button variant="default" onClick={retry} loading={busy}>Try again</Button>}
    >
      <p>{problem?.detail ? problem.detail : otherwise}</p>
      {problem?.reference && <p className="dim">Reference for your service desk: <span className="mono">{problem.reference}</span></p>}
    </Notice>
  );
}

export function Loading({ what, page }: { what: string; page?: boolean }) {
  return (
    <div className={page ? styles.loadingPage : styles.loading} role="status">
      <Loader size="sm" color="accent" aria-hidden />
      <span>Opening {what} …</span>
    </div>
  );
}
