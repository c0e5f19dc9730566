import { Button, Popover, TextInput, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconChevronDown, IconDownload, IconFileCertificate } from '@tabler/icons-react';
import { useState } from 'react';
import { api, Problem, type TrailFilter } from '../../api/client';
import { Dialogue } from '../../parts/Dialogue';
import { Failure, Loading } from '../../parts/states';
import { count, isoDay } from '../../words/time';
import { forServer, lastMonth, open, type Filter } from './filter';
import styles from './Trail.module.css';

const forms = [
  { form: 'csv', label: 'Table', says: 'CSV, for a spreadsheet; up to 250,000 events' },
  { form: 'pdf', label: 'Document', says: 'PDF, to read and file; up to 5,000 events' },
  { form: 'json', label: 'With proofs', says: 'JSON, checked offline by custos-verify; up to 10,000 events' },
] as const;

/** Gives out what the filter finds. Each file is on record, with the digest of its bytes. */
export function GiveOut({ filter, disabled }: { filter: Filter; disabled: boolean }) {
  const [opened, setOpened] = useState(false);
  const save = useMutation({ mutationFn: (form: string) => api.saveTrail(form, forServer(filter)) });
  return (
    <>
      <Popover position="bottom-end" shadow="md" withinPortal={false} opened={opened} onChange={setOpened} trapFocus returnFocus>
        <Popover.Target>
          <Button variant="default" disabled={disabled} loading={save.isPending} leftSection={<IconDownload size={16} aria-hidden />} rightSection={<IconChevronDown size={14} aria-hidden />}
            onClick={() => setOpened((o) => !o)}>Give out</Button>
        </Popover.Target>
        <Popover.Dropdown p={6} aria-label="Give out as">
          {forms.map(({ form, label, says }) => (
            <UnstyledButton key={form} className={styles.form} onClick={() => { setOpened(false); save.mutate(form); }}>{label}<small>{says}</small></UnstyledButton>
          ))}
        </Popover.Dropdown>
      </Popover>
      {save.error && <p className={styles.refused} role="alert">{wordsOf(save.error)}</p>}
    </>
  );
}

const wordsOf = (e: Error) => (e instanceof Problem && e.detail ? e.detail : 'The file could not be made. Nothing was given out. Try again in a minute.');

/** The report on the six operations of the Data Protection Act 2018, s.62, of a period. */
export function Report() {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button leftSection={<IconFileCertificate size={16} aria-hidden />} onClick={() => setOpened(true)}>s.62 report</Button>
      <Dialogue opened={opened} onClose={() => setOpened(false)} title="Report under section 62" size="lg">{opened && <Period />}</Dialogue>
    </>
  );
}

function Period() {
  const [period, setPeriod] = useState(() => lastMonth(isoDay(new Date())));
  const sound = !!period.from && !!period.to && period.from <= period.to;
  const asked: TrailFilter = sound ? forServer({ ...open, ...period }) : {};
  const counts = useQuery({ queryKey: ['s62', asked], queryFn: ({ signal }) => api.s62(asked, signal), enabled: sound, refetchOnWindowFocus: false });
  const save = useMutation({ mutationFn: (form: string) => api.saveS62(form, asked) });
  return (
    <div className={styles.report}>
      <p>Every record of the six operations that the Data Protection Act 2018 wants logged: who, when, from where, on what, and to whom it was given.</p>
      <div className={styles.period}>
        <TextInput type="date" label="First day" value={period.from} max={period.to} onChange={(e) => setPeriod({ ...period, from: e.currentTarget.value })} />
        <TextInput type="date" label="Last day" value={period.to} min={period.from} onChange={(e) => setPeriod({ ...period, to: e.currentTarget.value })} />
      </div>
      {!sound && <p role="status">Choose a first day that is not after the last.</p>}
      {sound && counts.error && <Failure error={counts.error} retry={() => void counts.refetch()} busy={counts.isFetching} />}
      {sound && counts.isPending && <Loading what="the counts" />}
      {sound && counts.data && (
        <table className={styles.counts}>
          <caption className="hidden">Records by operation</caption>
          <thead><tr><th scope="col">Operation</th><th scope="col">Begun</th><th scope="col">Done</th><th scope="col">Refused</th><th scope="col">Failed</th></tr></thead>
          <tbody>
            {counts.data.operations.map((o) => (
              <tr key={o.operation}><th scope="row">{o.operation.charAt(0).toUpperCase() + o.operation.slice(1)}</th><td>{count(o.begun)}</td><td>{count(o.done)}</td><td>{count(o.refused)}</td><td>{count(o.failed)}</td></tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="dim">The report is on record too, with the digest of the file. It leaves out recordings that you may not know of.</p>
      {save.error && <p className={styles.refused} role="alert">{wordsOf(save.error)}</p>}
      <div className={styles.saves}>
        <Button disabled={!sound} loading={save.isPending && save.variables === 'pdf'} onClick={() => save.mutate('pdf')}>Save as PDF</Button>
        <Button variant="default" disabled={!sound} loading={save.isPending && save.variables === 'csv'} onClick={() => save.mutate('csv')}>Save as CSV</Button>
      </div>
    </div>
  );
}
