import { Button } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import type { Class, Detail, HoldRequest, InCase, Listed } from '../../api/types';
import { usePurposeName } from '../../app/queries';
import { Badge, ClassBadge } from '../../parts/badges';
import { personName } from '../../words/names';
import { full, known } from '../../words/time';
import { AssignDialog } from './AssignDialog';
import { CaseDialog } from './CaseDialog';
import styles from './Keeping.module.css';
import { RestrictDialog } from './RestrictDialog';

type Open = { dialogue: 'owner' | 'class' | 'into' } | { dialogue: 'out'; of: InCase };

const classWords: Record<Class, string> = {
  normal: 'Open to everybody whose work includes it',
  restricted: 'Kept from its officer and their supervisors',
  confidential: 'Known to its access list, standards and auditors alone',
};

/** Whose a recording is, how closely it is kept and what it belongs to, with what this person may change of it. */
export function Keeping({ detail }: { detail: Detail }) {
  const { kept, can } = detail;
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <section className={styles.keeping} aria-label="How it is kept">
      <Row name="Whose footage" act={can.assign && (kept.owner ? 'Change' : 'Assign')} onAct={() => setOpen({ dialogue: 'owner' })}>
        {kept.owner ? <>{personName(kept.owner)}{kept.own && <span className="dim"> (you)</span>}</> : 'Nobody’s yet'}
      </Row>
      <Row name="Class" act={can.restrict && 'Change'} onAct={() => setOpen({ dialogue: 'class' })}>
        {kept.class === 'normal' ? 'Normal' : <ClassBadge of={kept.class} />}
        <span className={styles.more}>{classWords[kept.class]}</span>
      </Row>
      {can.restrict && <Row name="Access list"><Names listed={kept.listed} /></Row>}
      <Row name="Belongs to" act={can.combine && 'Put into a case'} onAct={() => setOpen({ dialogue: 'into' })}>
        {kept.cases.length === 0 && 'No case or incident'}
        {kept.cases.length > 0 && (
          <ul>
            {kept.cases.map((c) => (
              <li key={c.id} className={styles.case}>
                <span><span className="dim">{c.kind === 'incident' ? 'Incident' : 'Case'}</span> {c.number}</span>
                {can.combine && <Button variant="subtle" size="compact-xs" onClick={() => setOpen({ dialogue: 'out', of: c })}>Take out<span className="hidden"> of {c.number}</span></Button>}
              </li>
            ))}
          </ul>
        )}
      </Row>
      {kept.holdRequests.length > 0 && <Row name="Hold requested"><Holds requests={kept.holdRequests} /></Row>}
      {open?.dialogue === 'owner' && <AssignDialog detail={detail} onClose={close} />}
      {open?.dialogue === 'class' && <RestrictDialog detail={detail} onClose={close} />}
      {open?.dialogue === 'into' && <CaseDialog detail={detail} onClose={close} />}
      {open?.dialogue === 'out' && <CaseDialog detail={detail} out={open.of} onClose={close} />}
    </section>
  );
}

interface RowProps {
  name: string;
  /** what the button beside it says; false = there is none */
  act?: string | false;
  onAct?: () => void;
  children: ReactNode;
}

function Row({ name, act, onAct, children }: RowProps) {
  return (
    <div className={styles.row}>
      <h2>{name}</h2>
      <div className={styles.value}>{children}</div>
      {act && <Button variant="default" size="compact-xs" onClick={onAct}>{act}{act === 'Change' && <span className="hidden"> {name.toLowerCase()}</span>}</Button>}
    </div>
  );
}

function Names({ listed }: { listed: Listed[] }) {
  if (listed.length === 0) return <>Nobody</>;
  return (
    <ul>
      {listed.map((l) => <li key={l.person.id}>{personName(l.person)}<span className={styles.more}>{known(l.until) ? `until ${full(l.until)}` : 'no end'}</span></li>)}
    </ul>
  );
}

function Holds({ requests }: { requests: HoldRequest[] }) {
  const nameOf = usePurposeName();
  return (
    <ul className={styles.holds}>
      {requests.map((h) => (
        <li key={h.id}>
          <Badge tone="warn" icon={IconBookmark}>{nameOf(h.purpose)}</Badge> {h.reference}
          <span className={styles.more}>watched by {h.name}, {full(h.at)}</span>
        </li>
      ))}
    </ul>
  );
}
