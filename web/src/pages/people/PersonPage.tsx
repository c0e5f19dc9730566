import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconArrowLeft, IconUserOff } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { api } from '../../api/client';
import type { PersonDetail } from '../../api/types';
import { personQuery, unitsQuery } from '../../app/queries';
import { useWaiting } from '../../app/waiting';
import { Badge } from '../../parts/badges';
import { Facts } from '../../parts/Facts';
import { Form } from '../../parts/Form';
import styles from '../../parts/Register.module.css';
import { Failure, Loading } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { ago, dayTime, isoDay, known, startOfDay } from '../../words/time';
import { SignIns } from './SignIns';
import { unitChoices, unitName } from '../../words/units';

/** since … , from … until …; nothing known before and after is left out */
function span(from: string | undefined, until: string | undefined): string {
  if (!known(until)) return known(from) ? `since ${dayTime(from)}` : 'since ever';
  return known(from) ? `${dayTime(from)} to ${dayTime(until)}` : `until ${dayTime(until)}`;
}

/** '' = now; a day = its beginning, but never a time to come. */
const since = (day: string) => (day ? startOfDay(day) : undefined);
const today = () => isoDay(new Date());

type Asked = '' | 'describe' | 'post' | 'issue' | { end: string; unit: string } | { back: string; camera: string };

/** One person: who they are, where they belong, what they hold, and how that was before. */
export function PersonPage() {
  const { id = '' } = useParams();
  const { data: p, error, refetch, isFetching } = useQuery(personQuery(id));
  useTitle(p?.name ?? 'Person');
  const [asked, setAsked] = useState<Asked>('');
  const mayAskRole = useWaiting()?.ask.some((a) => a.kind === 'role.grant');
  if (error && !p) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!p) return <Loading page what="the person" />;
  const ask = (a: Asked) => () => setAsked(a);
  const changes = [['people'], ['units']];
  return (
    <>
      <Link to="/people" className={styles.back}><IconArrowLeft size={15} aria-hidden />People</Link>
      <div className={styles.head}>
        <div className={styles.titles}>
          <h1>{p.name}</h1>
          <p className={styles.badges}>{p.roleName}{p.number && ` · ${p.number}`}{p.disabled && <Badge tone="warn" icon={IconUserOff}>Account closed</Badge>}</p>
        </div>
        <div className={styles.actions}>
          {mayAskRole && !p.disabled && <Button variant="default" component={Link} to={`/approvals?show=mine&kind=role.grant&subject=${p.id}`}>Ask for another role …</Button>}
          <Button variant="default" onClick={ask('describe')}>Change name or number</Button>
        </div>
      </div>
      <div className={styles.panels}>
        <Panel title="Account">
          <Facts rows={[['Sign-in name', p.login], ['Role', p.roleName], ['Made', dayTime(p.createdAt)], ['Last active', ago(p.activeAt)]]} />
        </Panel>
        <SignIns person={p.id} name={p.name} />
        <Panel title="Postings" action={<Button size="xs" variant="default" onClick={ask('post')}>Post to a unit</Button>} none="Posted nowhere yet.">
          {(p.postings ?? []).map((x) => (
            <li key={x.id}>
              <span><strong>{x.name}</strong> ({x.code}){x.lead && ', leads it'}<span className={styles.small}>{span(x.from, x.until)}</span></span>
              {!known(x.until) && <Button size="xs" variant="subtle" onClick={ask({ end: x.id, unit: x.name })}>End<span className="hidden"> posting to {x.name}</span></Button>}
            </li>
          ))}
        </Panel>
        <Panel title="Collar numbers" none="No number yet.">
          {(p.numbers ?? []).map((h) => <li key={h.id}><span><strong>{h.thing}</strong><span className={styles.small}>{span(h.from, h.until)}</span></span></li>)}
        </Panel>
        <Panel title="Cameras" action={<Button size="xs" variant="default" onClick={ask('issue')}>Issue a camera</Button>} none="No camera yet.">
          {(p.cameras ?? []).map((h) => (
            <li key={h.id}>
              <span><strong>{h.thing}</strong><span className={styles.small}>{span(h.from, h.until)}</span></span>
              {!known(h.until) && <Button size="xs" variant="subtle" onClick={ask({ back: h.id, camera: h.thing })}>Take back<span className="hidden"> camera {h.thing}</span></Button>}
            </li>
          ))}
        </Panel>
      </div>
      {asked === 'describe' && <Describe person={p} onClose={ask('')} changes={changes} />}
      {asked === 'post' && <Post person={p} onClose={ask('')} changes={changes} />}
      {asked === 'issue' && <Issue person={p} onClose={ask('')} changes={changes} />}
      {typeof asked === 'object' && 'end' in asked && (
        <Form opened onClose={ask('')} title="End the posting?" action="End now" ready harm send={() => api.endPosting(asked.end)} changes={changes}>
          <p>{p.name} is posted to {asked.unit} until now and nowhere afterwards. What they recorded until now stays the unit’s.</p>
        </Form>
      )}
      {typeof asked === 'object' && 'back' in asked && (
        <Form opened onClose={ask('')} title="Take the camera back?" action="Take back" ready harm send={() => api.returnCamera(asked.back)} changes={changes}>
          <p>Camera {asked.camera} is with {p.name} until now. Footage from now on is not theirs by this camera.</p>
        </Form>
      )}
    </>
  );
}

function Panel({ title, action, none, children }: { title: string; action?: ReactNode; none?: string; children: ReactNode }) {
  return (
    <section className={styles.panel}>
      <div className={styles.panelHead}><h2>{title}</h2>{action}</div>
      {!none ? children : Array.isArray(children) && children.length > 0 ? <ul>{children}</ul> : <p className={styles.none}>{none}</p>}
    </section>
  );
}

interface Change {
  person: PersonDetail;
  onClose: () => void;
  changes: string[][];
}

function Describe({ person: p, onClose, changes }: Change) {
  const [name, setName] = useState(p.name);
  const [number, setNumber] = useState(p.number);
  const [from, setFrom] = useState('');
  const other = { name: name.trim() !== p.name, number: number.trim() !== p.number };
  return (
    <Form opened onClose={onClose} title="Change name or number" action="Change" ready={name.trim() !== '' && (other.name || other.number)} changes={changes}
      send={() => api.describePerson(p.id, { name: other.name ? name : undefined, number: other.number ? number : undefined, from: other.number ? since(from) : undefined })}>
      <TextInput label="Name" value={name} maxLength={128} required data-autofocus onChange={(e) => setName(e.currentTarget.value)} />
      <TextInput label="Collar number" description="Empty: no number any more. Footage under the old number stays theirs." value={number} maxLength={32} autoComplete="off" spellCheck={false} onChange={(e) => setNumber(e.currentTarget.value)} />
      {other.number && <TextInput type="date" label="New number from" description="Empty: from now" value={from} max={today()} onChange={(e) => setFrom(e.currentTarget.value)} />}
    </Form>
  );
}

function Post({ person: p, onClose, changes }: Change) {
  const units = useQuery(unitsQuery);
  const [posting, setPosting] = useState({ unit: '', lead: false, from: '' });
  const set = (change: Partial<typeof posting>) => setPosting((old) => ({ ...old, ...change }));
  const present = unitName(units.data, p.unit);
  return (
    <Form opened onClose={onClose} title="Post to a unit" action="Post" ready={posting.unit !== '' && !(posting.unit === p.unit && posting.lead === p.lead)} changes={changes}
      send={() => api.post(p.id, { unit: posting.unit, lead: posting.lead, from: since(posting.from) })}>
      {present && <p>Until then {p.name} is posted to {present}.</p>}
      <NativeSelect label="Unit" required data-autofocus value={posting.unit} onChange={(e) => set({ unit: e.currentTarget.value })} data={[{ value: '', label: units.isPending ? 'Opening …' : 'Choose a unit' }, ...unitChoices(units.data ?? [])]} />
      <Checkbox label="Leads this unit" description="Supervises all who are posted to it or below it" checked={posting.lead} onChange={(e) => set({ lead: e.currentTarget.checked })} />
      <TextInput type="date" label="From" description="Empty: from now" value={posting.from} onChange={(e) => set({ from: e.currentTarget.value })} />
    </Form>
  );
}

function Issue({ person: p, onClose, changes }: Change) {
  const [issue, setIssue] = useState({ camera: '', from: '', until: '' });
  const set = (change: Partial<typeof issue>) => setIssue((old) => ({ ...old, ...change }));
  return (
    <Form opened onClose={onClose} title="Issue a camera" action="Issue" ready={issue.camera.trim() !== ''} changes={changes}
      send={() => api.issueCamera(p.id, { camera: issue.camera, from: since(issue.from), until: since(issue.until) })}>
      <TextInput label="Camera" description="The number that its recordings carry, for example K-0417" value={issue.camera} maxLength={128} required data-autofocus autoComplete="off" spellCheck={false} onChange={(e) => set({ camera: e.currentTarget.value })} />
      <TextInput type="date" label="From" description="Empty: from now" value={issue.from} onChange={(e) => set({ from: e.currentTarget.value })} />
      <TextInput type="date" label="Until" description="Empty: until it is taken back" value={issue.until} min={issue.from || today()} onChange={(e) => set({ until: e.currentTarget.value })} />
    </Form>
  );
}
