import { ActionIcon, Button, Combobox, Select, TextInput, useCombobox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client';
import type { TrailPerson } from '../../api/types';
import { usePurposes } from '../../app/queries';
import { phaseNames, verbNames } from '../../words/events';
import { isOpen, open, type Filter } from './filter';
import styles from './Trail.module.css';

interface Props {
  filter: Filter;
  onChange: (f: Partial<Filter>) => void;
}

const choices = (names: Record<string, string>) => Object.entries(names).map(([value, label]) => ({ value, label }));

export function TrailBar({ filter, onChange }: Props) {
  // Footage of one's own has no purpose in the force's list, and one in the trail.
  const purposes = [...usePurposes(), { code: 'own', name: 'Own footage' }];
  return (
    <form className={styles.bar} role="search" aria-label="Trail" onSubmit={(e) => e.preventDefault()}>
      <PersonField person={filter.person} onChange={(person) => onChange({ person })} />
      <Typed label="Recording" placeholder="Identifier" value={filter.recording} onSettle={(recording) => onChange({ recording })} />
      <Typed label="Case or incident" placeholder="Number" value={filter.reference} onSettle={(reference) => onChange({ reference })} />
      <Select label="What" placeholder="Any" clearable data={choices(verbNames)} value={filter.verb || null} onChange={(v) => onChange({ verb: v ?? '' })} comboboxProps={{ withinPortal: false }} />
      <Select label="Outcome" placeholder="Any" clearable data={choices(phaseNames)} value={filter.phase || null} onChange={(v) => onChange({ phase: v ?? '' })} comboboxProps={{ withinPortal: false }} />
      <Select label="Purpose" placeholder="Any" clearable data={purposes.map((p) => ({ value: p.code, label: p.name }))} value={filter.purpose || null} onChange={(v) => onChange({ purpose: v ?? '' })} comboboxProps={{ withinPortal: false }} />
      <TextInput type="date" label="From" value={filter.from} max={filter.to || undefined} onChange={(e) => onChange({ from: e.currentTarget.value })} />
      <TextInput type="date" label="To" value={filter.to} min={filter.from || undefined} onChange={(e) => onChange({ to: e.currentTarget.value })} />
      {!isOpen(filter) && <Button variant="subtle" leftSection={<IconX size={15} aria-hidden />} onClick={() => onChange(open)}>Clear</Button>}
    </form>
  );
}

function Clear({ what, onClick }: { what: string; onClick: () => void }) {
  return <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Clear ${what.toLowerCase()}`} onClick={onClick}><IconX size={14} aria-hidden /></ActionIcon>;
}

interface TypedProps {
  label: string;
  placeholder: string;
  value: string;
  onSettle: (value: string) => void;
}

/** A text field that asks on Enter or when it is left: each question is an event of the trail, so half a word is none. */
function Typed({ label, placeholder, value, onSettle }: TypedProps) {
  const [text, setText] = useState(value);
  const told = useRef(value); // what the address was last told, or told us
  useEffect(() => {
    if (value === told.current) return;
    // The address was changed from elsewhere: the clear button, going back.
    told.current = value;
    setText(value);
  }, [value]);
  const settle = (t = text.trim()) => {
    if (t === told.current) return;
    told.current = t;
    onSettle(t);
  };
  return (
    <TextInput label={label} placeholder={placeholder} value={text} spellCheck={false} autoComplete="off"
      onChange={(e) => setText(e.currentTarget.value)}
      onBlur={() => settle()}
      onKeyDown={(e) => e.key === 'Enter' && settle()}
      rightSection={text ? <Clear what={label} onClick={() => { setText(''); settle(''); }} /> : null}
    />
  );
}

/** Somebody under every name that they acted under, in one line. */
interface Found {
  id: string;
  names: string;
  also: string;
}

export function byAccount(list: TrailPerson[]): Found[] {
  const found = new Map<string, { names: Set<string>; also: Set<string> }>();
  for (const p of list) {
    const f = found.get(p.id) ?? { names: new Set(), also: new Set() };
    f.names.add([p.name, p.number].filter(Boolean).join(' ') || p.id);
    f.also.add([p.role || p.kind].join(' ').replace(/_/g, ' '));
    found.set(p.id, f);
  }
  return [...found].map(([id, f]) => ({ id, names: [...f.names].join(', also '), also: [...f.also].join(', ') }));
}

/** Finds an account by any name or number that it acted under. */
function PersonField({ person, onChange }: { person: string; onChange: (id: string) => void }) {
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [text, setText] = useState('');
  const [word, setWord] = useState('');
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const people = useQuery({ queryKey: ['trail-people', word], queryFn: ({ signal }) => api.trailPeople(word, signal), enabled: word !== '' });
  const chosen = useQuery({ queryKey: ['trail-people', person], queryFn: ({ signal }) => api.trailPeople(person, signal), enabled: person !== '' });
  const shown = person && byAccount(chosen.data ?? []).find((p) => p.id === person);
  const found = byAccount(people.data ?? []);
  const type = (t: string) => {
    setText(t);
    box.openDropdown();
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setWord(t.trim()), 250);
  };
  return (
    <Combobox store={box} withinPortal={false} onOptionSubmit={(id) => { onChange(id); setText(''); setWord(''); box.closeDropdown(); }}>
      <Combobox.Target>
        <TextInput
          label="By whom"
          placeholder="Name or number"
          autoComplete="off"
          spellCheck={false}
          value={person ? (shown ? shown.names : person) : text}
          readOnly={!!person}
          onChange={(e) => type(e.currentTarget.value)}
          onBlur={() => box.closeDropdown()}
          rightSection={person || text ? <Clear what="By whom" onClick={() => { setText(''); setWord(''); onChange(''); }} /> : null}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={!word || !!person}>
        <Combobox.Options aria-label="People">
          {found.map((p) => (
            <Combobox.Option key={p.id} value={p.id}><span className={styles.option}>{p.names}<small>{p.also}</small></span></Combobox.Option>
          ))}
          {people.isSuccess && found.length === 0 && <Combobox.Empty>Nobody acted under that name or number</Combobox.Empty>}
          {people.isPending && <Combobox.Empty>Looking …</Combobox.Empty>}
          {people.isError && <Combobox.Empty>The names could not be looked up</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
