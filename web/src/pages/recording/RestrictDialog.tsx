import { ActionIcon, Button, Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { api } from '../../api/client';
import type { Class, Detail } from '../../api/types';
import { isoDay } from '../../words/time';
import { listOf, placeOf, type Place } from './accessList';
import { ChangeDialog, ChangeForm } from './ChangeDialog';
import styles from './RestrictDialog.module.css';

// What the rule as it is shipped makes of the classes (access/policy.toml).
const classes: { value: Class; name: string; who: string }[] = [
  { value: 'normal', name: 'Normal', who: 'Its officer, their supervisors, and whoever’s work includes it know of it.' },
  { value: 'restricted', name: 'Restricted', who: 'Its officer and their supervisors no longer see that it exists. Known to who works on a case it belongs to, to the access list, and to records, standards, data protection and audit.' },
  { value: 'confidential', name: 'Confidential', who: 'Known to the access list, professional standards and auditors alone.' },
];

interface Props {
  detail: Detail;
  onClose: () => void;
}

/** Says how closely a recording is kept, and who may see it all the same. */
export function RestrictDialog({ detail, onClose }: Props) {
  const [to, setTo] = useState(detail.kept.class);
  const [places, setPlaces] = useState(() => detail.kept.listed.map(placeOf));
  const [reason, setReason] = useState('');
  const [lacking, setLacking] = useState(false);
  const noReason = !reason.trim();
  return (
    <ChangeDialog title="How closely is this kept?" onClose={onClose}>
      <ChangeForm
        recording={detail.id}
        does="Keep it so"
        effect={<>It holds at once: viewings of those who may no longer watch it end now. {to === detail.kept.class ? 'The class stays as it is.' : <>The class becomes <strong>{to}</strong>.</>}</>}
        ready={!noReason}
        missing={() => setLacking(true)}
        change={() => api.restrict(detail.id, { class: to, reason: reason.trim(), list: listOf(places) })}
        onClose={onClose}
      >
        <Radio.Group label="Class" value={to} onChange={setTo}>
          <Stack gap={10} mt={6}>
            {classes.map((c) => <Radio key={c.value} value={c.value} label={c.name} description={c.who} data-autofocus={c.value === to ? true : undefined} />)}
          </Stack>
        </Radio.Group>
        <AccessList places={places} onChange={setPlaces} />
        <Textarea label="Reason" description="Kept with the chain of custody" value={reason} rows={2} maxLength={1000}
          error={lacking && noReason ? 'Say why it is to be kept so.' : undefined} errorProps={{ role: 'alert' }} onChange={(e) => setReason(e.currentTarget.value)} />
      </ChangeForm>
    </ChangeDialog>
  );
}

interface ListProps {
  places: Place[];
  onChange: (p: Place[]) => void;
}

function AccessList({ places, onChange }: ListProps) {
  const next = useRef(places.length);
  const put = (key: number, part: Partial<Place>) => onChange(places.map((p) => (p.key === key ? { ...p, ...part } : p)));
  const today = isoDay(new Date());
  return (
    <fieldset className={styles.list}>
      <legend>Access list</legend>
      <p className="dim">Who stands on it may see and watch the recording though its class would keep them out. Nobody may put their own name on it.</p>
      {places.map((p, i) => (
        <div key={p.key} className={styles.place} role="group" aria-label={p.name || `New name ${i + 1}`}>
          {p.name
            ? <p className={styles.name}>{p.name}</p>
            : <TextInput label="Person" placeholder="Collar number or sign-in name" value={p.person} autoComplete="off" spellCheck={false} maxLength={64}
                ref={(e) => { if (e && p.person === '' && p.key === next.current - 1) e.focus(); }}
                onChange={(e) => put(p.key, { person: e.currentTarget.value })} />}
          <TextInput type="date" label="Last day (or no end)" value={p.day} min={today} onChange={(e) => put(p.key, { day: e.currentTarget.value })} />
          <ActionIcon variant="subtle" color="gray" size={30} aria-label={`Take ${p.name || 'this name'} off the list`} onClick={() => onChange(places.filter((o) => o.key !== p.key))}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button variant="default" size="compact-sm" leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => onChange([...places, { key: next.current++, person: '', name: '', day: '', until: '' }])}>Add a name</Button>
    </fieldset>
  );
}
