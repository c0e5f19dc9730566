import { Alert, Button, Checkbox, FileInput, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle, IconAlertTriangle, IconCheck, IconCircleCheck, IconEqual, IconPencil, IconUserPlus, IconX, type Icon } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../../api/client';
import type { ImportLine, ImportPreview, Verdict } from '../../api/types';
import { Badge, type Tone } from '../../parts/badges';
import { Dialogue } from '../../parts/Dialogue';
import styles from '../../parts/Register.module.css';
import { plural } from '../../words/time';

const verdicts: Record<Verdict, [Tone, Icon, string]> = {
  new: ['good', IconUserPlus, 'New'],
  changed: ['accent', IconPencil, 'Changed'],
  unchanged: ['plain', IconEqual, 'Unchanged'],
  refused: ['bad', IconX, 'Refused'],
};

interface Chosen {
  name: string;
  text: string;
  preview: ImportPreview;
}

/** Brings people in from a file: first what would happen, then exactly that. */
export function ImportPeople({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Dialogue opened={opened} onClose={onClose} title="Import people and postings" size="lg">
      {opened && <Import onClose={onClose} />}
    </Dialogue>
  );
}

function Import({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Chosen>();
  const [done, setDone] = useState<ImportPreview>();
  const preview = useMutation({
    mutationFn: async (file: File) => {
      const text = await file.text();
      return { name: file.name, text, preview: await api.previewImport(text) };
    },
    onSuccess: setChosen,
  });
  const run = useMutation({
    mutationFn: (c: Chosen) => api.importPeople(c.text, c.preview.digest),
    onSuccess: async (answer) => {
      setDone(answer);
      await Promise.all([client.invalidateQueries({ queryKey: ['people'] }), client.invalidateQueries({ queryKey: ['units'] })]);
    },
  });
  const error = preview.error ?? run.error;
  const { counts } = chosen?.preview ?? {};
  const changes = counts ? counts.new + counts.changed : 0;

  if (done) {
    return (
      <Stack gap="md">
        <Alert color="accent" icon={<IconCircleCheck aria-hidden />} role="status" title="Imported">
          {plural(done.counts.new, 'person', 'people')} added, {plural(done.counts.changed, 'person', 'people')} changed. New people cannot sign in until they are invited.
        </Alert>
        <Group justify="end"><Button onClick={onClose} data-autofocus>Close</Button></Group>
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      <p>A CSV file with a first line of column names: <span className="mono">login,name,number,role,unit,lead,from</span>. Only <span className="mono">login</span> must be there; an empty value changes nothing. Units are named by their codes.</p>
      <FileInput label="File" placeholder="Choose a CSV file" accept=".csv,text/csv" clearable clearButtonProps={{ 'aria-label': 'Take the file away' }} data-autofocus
        onChange={(file) => {
          setChosen(undefined);
          preview.reset();
          run.reset();
          if (file) preview.mutate(file);
        }} />
      {error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{error.message}</Alert>}
      {preview.isPending && <p role="status" className="dim">Looking at the file …</p>}
      {chosen && counts && (
        <>
          <p className={styles.counts} role="status">
            {(Object.keys(verdicts) as Verdict[]).map((v) => <Badge key={v} tone={counts[v] ? verdicts[v][0] : 'plain'} icon={verdicts[v][1]}>{counts[v]} {verdicts[v][2].toLowerCase()}</Badge>)}
          </p>
          <Lines lines={chosen.preview.lines} />
          {chosen.preview.absent.length > 0 && (
            <details>
              <summary>{plural(chosen.preview.absent.length, 'open account is', 'open accounts are')} not in the file. Nothing happens to them.</summary>
              <p className="dim">{chosen.preview.absent.map((a) => `${a.name} (${a.login})`).join(', ')}</p>
            </details>
          )}
          <Group justify="space-between" wrap="nowrap">
            <span className="dim">Nothing has been changed yet.{counts.refused > 0 && changes > 0 && ` The ${plural(counts.refused, 'refused line is', 'refused lines are')} left out.`}</span>
            {changes > 0 && <Button className={styles.keep} leftSection={<IconCheck size={16} aria-hidden />} loading={run.isPending} onClick={() => run.mutate(chosen)}>Import {plural(changes, 'person', 'people')}</Button>}
          </Group>
        </>
      )}
    </Stack>
  );
}

/** What becomes of each line; those that change nothing only when asked for. */
function Lines({ lines }: { lines: ImportLine[] }) {
  const [all, setAll] = useState(false);
  const telling = lines.filter((l) => l.verdict !== 'unchanged' || l.remarks.length > 0);
  const shown = all ? lines : telling;
  return (
    <>
      {telling.length < lines.length && <Checkbox label="Show unchanged lines too" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />}
      {shown.length === 0 ? <p className="dim">No line changes anything.</p> : (
        <div className={styles.preview} tabIndex={0} role="region" aria-label="What the import would do">
          <table className={styles.table}>
            <thead><tr><th scope="col">Line</th><th scope="col">Person</th><th scope="col">Result</th><th scope="col">What happens</th></tr></thead>
            <tbody>{shown.slice(0, 500).map((l) => <Row key={l.line} line={l} />)}</tbody>
          </table>
          {shown.length > 500 && <p className={styles.foot}>The first 500 of {shown.length} lines are shown.</p>}
        </div>
      )}
    </>
  );
}

function Row({ line: l }: { line: ImportLine }) {
  const [tone, icon, words] = verdicts[l.verdict];
  return (
    <tr>
      <td>{l.line}</td>
      <td>{l.name || l.login}{l.name && <span className={styles.small}>{l.login}</span>}</td>
      <td><Badge tone={tone} icon={icon}>{words}</Badge></td>
      <td>
        <div className={styles.changes}>
          {l.changes.map((c) => <span key={c.column}>{c.column}: {c.before && <><del>{c.before}</del> → </>}<ins>{c.after}</ins></span>)}
          {l.remarks.map((r) => <span key={r.column + r.reason}>{l.verdict !== 'refused' && <IconAlertTriangle size={13} aria-hidden />} <strong>{r.column}:</strong> {r.reason}</span>)}
        </div>
      </td>
    </tr>
  );
}
