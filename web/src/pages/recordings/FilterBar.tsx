import { ActionIcon, Button, Collapse, SegmentedControl, TextInput } from '@mantine/core';
import { IconCalendar, IconLayoutGrid, IconTable, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useLocation } from 'react-router';
import { isOpen, type Filter } from './filter';
import styles from './FilterBar.module.css';
import type { View } from './RecordingsPage';

interface Props {
  filter: Filter;
  onChange: (f: Partial<Filter>, replace?: boolean) => void;
  view: View;
  onView: (v: View) => void;
  /** the date rail, where there is no room for it beside the list */
  dates?: { open: boolean; toggle: () => void; rail: ReactNode };
}

export function FilterBar({ filter, onChange, view, onView, dates }: Props) {
  const search = useRef<HTMLInputElement>(null);
  const { state, key } = useLocation() as { state: { focus?: string } | null; key: string };
  useEffect(() => {
    if (state?.focus === 'search') {
      search.current?.focus();
      search.current?.select();
    }
  }, [state, key]);

  return (
    <div className={styles.wrap}>
      <form className={styles.bar} role="search" aria-label="Recordings" onSubmit={(e) => e.preventDefault()}>
        <Typed label="Officer" placeholder="Collar number" value={filter.officer} onSettle={(officer) => onChange({ officer }, true)} input={search} hint={<kbd>/</kbd>} />
        <Typed label="Camera" placeholder="Device number" value={filter.device} onSettle={(device) => onChange({ device }, true)} />
        <TextInput type="date" label="From" value={filter.from} max={filter.to || undefined} onChange={(e) => onChange({ from: e.currentTarget.value })} />
        <TextInput type="date" label="To" value={filter.to} min={filter.from || undefined} onChange={(e) => onChange({ to: e.currentTarget.value })} />
        {dates && (
          <Button variant="default" leftSection={<IconCalendar size={16} aria-hidden />} aria-expanded={dates.open} onClick={dates.toggle} className={styles.button}>
            Calendar
          </Button>
        )}
        {!isOpen(filter) && (
          <Button variant="subtle" leftSection={<IconX size={15} aria-hidden />} className={styles.button}
            onClick={() => onChange({ officer: '', device: '', from: '', to: '' })}>Clear</Button>
        )}
        <SegmentedControl
          aria-label="Show as"
          className={styles.view}
          value={view}
          onChange={(v) => onView(v)}
          data={[
            { value: 'grid', label: <span className={styles.choice}><IconLayoutGrid size={15} aria-hidden />Grid</span> },
            { value: 'table', label: <span className={styles.choice}><IconTable size={15} aria-hidden />Table</span> },
          ]}
        />
      </form>
      {dates && <Collapse expanded={dates.open}><div className={styles.dates}>{dates.open && dates.rail}</div></Collapse>}
    </div>
  );
}

interface TypedProps {
  label: string;
  placeholder: string;
  value: string;
  onSettle: (value: string) => void;
  input?: React.RefObject<HTMLInputElement | null>;
  hint?: ReactNode;
}

/** A text field that asks for a new list when the hand rests, not at every letter. */
function Typed({ label, placeholder, value, onSettle, input, hint }: TypedProps) {
  const [text, setText] = useState(value);
  const told = useRef(value); // what the address was last told, or told us
  const timer = useRef<number | undefined>(undefined);
  const settle = (t: string) => {
    window.clearTimeout(timer.current);
    told.current = t;
    onSettle(t);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useEffect(() => {
    if (value === told.current) return;
    // The address was changed from elsewhere: the clear button, going back.
    told.current = value;
    setText(value);
  }, [value]);
  const type = (t: string) => {
    setText(t);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => settle(t), 300);
  };
  return (
    <TextInput
      ref={input}
      label={label}
      placeholder={placeholder}
      value={text}
      spellCheck={false}
      autoComplete="off"
      onChange={(e) => type(e.currentTarget.value)}
      onKeyDown={(e) => e.key === 'Escape' && e.currentTarget.blur()}
      rightSection={text ? (
        <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Clear ${label.toLowerCase()}`} onClick={() => { setText(''); settle(''); }}>
          <IconX size={14} aria-hidden />
        </ActionIcon>
      ) : hint}
    />
  );
}
