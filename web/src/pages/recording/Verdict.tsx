import { Button, Tooltip } from '@mantine/core';
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import type { Check } from './useCheck';
import styles from './Custody.module.css';

const verdicts = {
  none: [IconShieldQuestion, 'Check custody', 'plain'],
  proven: [IconShieldCheck, 'Custody proven, not witnessed', 'good'],
  not_proven: [IconShieldCheck, 'Custody checks out, key not confirmed', 'warn'],
  failed: [IconShieldX, 'Custody check failed', 'bad'],
} as const;

/** What the check of the custody in this browser came to, always in sight. */
export function Verdict({ check, onClick }: { check: Check; onClick: () => void }) {
  const { report, running, error } = check;
  const [Mark, says, tone] = error ? [IconShieldX, 'Check did not finish', 'bad'] as const : verdicts[report?.state ?? 'none'];
  const words = report?.state === 'proven' && report.cosigners.length > 0 ? `Custody proven, cosigned by ${report.cosigners.length}` : says;
  return (
    <Tooltip label={report || error ? 'See each check' : 'Checks every event in this browser, without trusting the server'}>
      <Button size="compact-sm" variant="default" className={styles.verdict} data-tone={tone} loading={running} leftSection={<Mark size={16} aria-hidden />} onClick={onClick}>{words}</Button>
    </Tooltip>
  );
}
