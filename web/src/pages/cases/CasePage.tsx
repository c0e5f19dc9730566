import { Button, Radio, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconArrowLeft, IconCheck, IconFolderOpen, IconLock, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api } from '../../api/client';
import type { CaseDetail, Member } from '../../api/types';
import { caseQuery } from '../../app/queries';
import { Badge } from '../../parts/badges';
import { Facts } from '../../parts/Facts';
import { Form } from '../../parts/Form';
import styles from '../../parts/Register.module.css';
import { useRested } from '../../parts/rested';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { dayTime, known } from '../../words/time';

/** One case or incident and who works on it. */
export function CasePage() {
  const { id = '' } = useParams();
  const { data: c, error, refetch, isFetching } = useQuery(caseQuery(id));
  useTitle(c?.number ?? 'Case');
  const [asked, setAsked] = useState<'' | 'add' | 'close' | Member>('');
  if (error && !c) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!c) return <Loading page what="the case" />;
  const close = () => setAsked('');
  const word = c.kind === 'case' ? 'case' : 'incident';
  return (
    <>
      <Link to="/cases" className={styles.back}><IconArrowLeft size={15} aria-hidden />Cases</Link>
      <div className={styles.head}>
        <div className={styles.titles}>
          <h1>{c.known ? c.title : c.number}</h1>
          <p className={styles.badges}>{c.kind === 'case' ? 'Case' : 'Incident'} {c.known && c.number} {known(c.closedAt) ? <Badge tone="plain" icon={IconCheck}>Closed</Badge> : <Badge tone="good" icon={IconFolderOpen}>Open</Badge>}</p>
        </div>
        {c.manage && <div className={styles.actions}><Button variant="default" onClick={() => setAsked('close')}>Close the {word}</Button></div>}
      </div>
      {!c.known ? (
        <Notice icon={IconLock} title="What it is about is for its members">
          The number is in the register, so it can be given as the reason for a look at footage. Ask one of its members, or your supervisor, if your work needs more.
        </Notice>
      ) : (
        <div className={styles.panels}>
          <section className={styles.panel}>
            <div className={styles.panelHead}><h2>Entry</h2></div>
            <Facts rows={[['Number', c.number], ['Entered', dayTime(c.openedAt)], ['By', c.by], ['Closed', known(c.closedAt) && dayTime(c.closedAt)]]} />
          </section>
          <section className={styles.panel}>
            <div className={styles.panelHead}>
              <h2>Members</h2>
              {c.manage && <Button size="xs" variant="default" leftSection={<IconUserPlus size={14} aria-hidden />} onClick={() => setAsked('add')}>Add a member</Button>}
            </div>
            {c.members.length === 0 ? <p className={styles.none}>Nobody is a member.</p> : (
              <ul>{c.members.map((m) => (
                <li key={m.id}>
                  <span><strong>{m.name}</strong>, {m.role}<span className={styles.small}>{known(m.from) && `since ${dayTime(m.from)}`}{known(m.until) && `, until ${dayTime(m.until)}`}</span></span>
                  {c.manage && !known(m.until) && <Button size="xs" variant="subtle" onClick={() => setAsked(m)}>Remove<span className="hidden"> {m.name}</span></Button>}
                </li>
              ))}</ul>
            )}
          </section>
        </div>
      )}
      {asked === 'add' && <AddMember detail={c} onClose={close} />}
      {asked === 'close' && (
        <Form opened onClose={close} title={`Close the ${word}?`} action="Close it" ready harm send={() => api.closeCase(c.id)} changes={[['cases']]}>
          <p>{c.number} stays in the register and its number can still be found. Its members no longer reach its footage as members.</p>
        </Form>
      )}
      {typeof asked === 'object' && (
        <Form opened onClose={close} title="Remove the member?" action="Remove" ready harm send={() => api.endMember(c.id, asked.id)} changes={[['cases']]}>
          <p>{asked.name} no longer knows this {word} from now on. That they were a member stays on record.</p>
        </Form>
      )}
    </>
  );
}

function AddMember({ detail: c, onClose }: { detail: CaseDetail; onClose: () => void }) {
  const [text, setText] = useState('');
  const [person, setPerson] = useState('');
  const [role, setRole] = useState('');
  const word = useRested(text.trim());
  const found = useQuery({ queryKey: ['candidates', word], queryFn: ({ signal }) => api.candidates(word, signal), enabled: word !== '' });
  const members = new Set(c.members.filter((m) => !known(m.until)).map((m) => m.person));
  const people = (found.data ?? []).filter((p) => !members.has(p.id));
  return (
    <Form opened onClose={onClose} title="Add a member" action="Add" ready={people.some((p) => p.id === person) && role.trim() !== ''} send={() => api.addMember(c.id, { person, role })} changes={[['cases']]}>
      <TextInput label="Find a person" placeholder="Name or collar number" value={text} maxLength={100} data-autofocus autoComplete="off" spellCheck={false} onChange={(e) => setText(e.currentTarget.value)} />
      {word !== '' && found.data && (people.length === 0
        ? <p role="status" className="dim">Nobody fits who is not a member already.</p>
        : <Radio.Group label="Person" value={person} onChange={setPerson}><Stack gap={8} mt={6}>{people.map((p) => <Radio key={p.id} value={p.id} label={p.number ? `${p.name} · ${p.number}` : p.name} />)}</Stack></Radio.Group>)}
      <TextInput label="What they do in it" placeholder="Officer in the case" value={role} maxLength={60} required onChange={(e) => setRole(e.currentTarget.value)} />
    </Form>
  );
}
