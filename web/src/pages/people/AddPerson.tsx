import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../../api/client';
import type { People, Unit } from '../../api/types';
import { Form } from '../../parts/Form';
import { unitChoices } from '../../words/units';

interface Props {
  opened: boolean;
  onClose: () => void;
  roles: People['roles'];
  units: Unit[];
}

const nobody = { login: '', name: '', number: '', role: 'officer', unit: '', lead: false };

export function AddPerson({ opened, onClose, roles, units }: Props) {
  const navigate = useNavigate();
  const [p, setP] = useState(nobody);
  const set = (change: Partial<typeof nobody>) => setP((old) => ({ ...old, ...change }));
  const close = () => {
    setP(nobody);
    onClose();
  };
  return (
    <Form opened={opened} onClose={close} title="Add a person" action="Add" ready={p.name.trim() !== '' && p.login.trim().length > 1} send={() => api.addPerson(p)}
      changes={[['people'], ['units']]} onDone={(id) => void navigate(`/people/${String(id)}`)} note="They cannot sign in until they are invited.">
      <TextInput label="Name" description="As it is shown, with the rank" value={p.name} maxLength={128} required data-autofocus onChange={(e) => set({ name: e.currentTarget.value })} />
      <TextInput label="Sign-in name" description="2 to 64 of: a to z, digits and . _ - @" value={p.login} maxLength={64} required autoComplete="off" spellCheck={false} onChange={(e) => set({ login: e.currentTarget.value })} />
      <TextInput label="Collar number" description="Footage under this number is theirs" value={p.number} maxLength={32} autoComplete="off" spellCheck={false} onChange={(e) => set({ number: e.currentTarget.value })} />
      <NativeSelect label="Role" description="Roles that two people give are asked for afterwards" value={p.role} onChange={(e) => set({ role: e.currentTarget.value })}
        data={roles.filter((r) => !r.approval).map((r) => ({ value: r.role, label: r.name }))} />
      <NativeSelect label="Unit" value={p.unit} onChange={(e) => set({ unit: e.currentTarget.value, lead: e.currentTarget.value !== '' && p.lead })} data={[{ value: '', label: 'None yet' }, ...unitChoices(units)]} />
      {p.unit && <Checkbox label="Leads this unit" checked={p.lead} onChange={(e) => set({ lead: e.currentTarget.checked })} />}
    </Form>
  );
}
