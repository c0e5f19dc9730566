import { Alert, Button, Group, Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBookmark, IconInfoCircle } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import type { Purpose, PurposeRule } from '../../api/types';
import { purposesQuery } from '../../app/queries';
import { Dialogue } from '../../parts/Dialogue';
import { Failure, Loading } from '../../parts/states';
import styles from './PurposeDialog.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  initial: Purpose;
  /** why the server asks, or what it refused, in its words */
  refused: string;
  busy: boolean;
  onSubmit: (p: Purpose) => void;
}

export function PurposeDialog({ opened, onClose, ...rest }: Props) {
  return (
    <Dialogue opened={opened} onClose={onClose} title="Why do you want to watch this?" size="md">
      {opened && <Reasons {...rest} />}
    </Dialogue>
  );
}

/** The form, once the force's list of purposes is there. */
function Reasons(props: Omit<Props, 'opened' | 'onClose'>) {
  const { data, error, refetch, isFetching } = useQuery(purposesQuery);
  if (data) return <PurposeForm rules={data} {...props} />;
  if (error) return <Failure error={error} retry={() => void refetch()} busy={isFetching} />;
  return <Loading what="the list of purposes" />;
}

/** What a reference is, where it has to be in the force's register. */
const registered: Partial<Record<PurposeRule['reference'], string>> = {
  case: 'Of a case that is entered here and open.',
  incident: 'Of an incident that is entered here and open.',
  either: 'Of a case or an incident that is entered here and open.',
};

interface FormProps extends Omit<Props, 'opened' | 'onClose'> {
  rules: PurposeRule[];
}

function PurposeForm({ rules, initial, refused, busy, onSubmit }: FormProps) {
  const [purpose, setPurpose] = useState(initial);
  const [sent, setSent] = useState<Purpose>();
  const [lacking, setLacking] = useState(false);
  const rule = rules.find((p) => p.code === purpose.code);
  const needed = !!rule && rule.reference !== 'none';
  const empty = needed && !purpose.reference.trim();
  // What the server refused stands at the field until the field says something else.
  const same = sent?.code === purpose.code && sent.reference === purpose.reference.trim();
  const atField = lacking && empty ? `${rule.name} needs a ${lowerFirst(rule.label)}.` : refused && needed && same ? refused : '';
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (busy) return;
    setLacking(!rule || empty);
    if (!rule || empty) return;
    const p = { code: rule.code, reference: needed ? purpose.reference.trim() : '', note: purpose.note.trim() };
    setSent(p);
    onSubmit(p);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {refused && !(needed && sent) && <Alert color="accent" icon={<IconInfoCircle aria-hidden />} role="alert">{refused}</Alert>}
        <Radio.Group label="Purpose" value={purpose.code} errorProps={{ role: 'alert' }} error={lacking && !rule ? 'Choose why you want to watch it.' : undefined}
          onChange={(code) => setPurpose({ ...purpose, code })}>
          <Stack gap={8} mt={6}>{rules.map((p, i) => <Radio key={p.code} value={p.code} label={p.name} data-autofocus={!rule && i === 0 ? true : undefined} />)}</Stack>
        </Radio.Group>
        {rule?.hold && (
          <p className={styles.hold} role="status"><IconBookmark size={16} aria-hidden /><span>Watching it for this records a hold request: the recording may not be disposed of before somebody has looked into the matter.</span></p>
        )}
        {needed && (
          <TextInput label={rule.label} description={registered[rule.reference]} required withAsterisk={false} value={purpose.reference} autoComplete="off" spellCheck={false}
            maxLength={100} data-autofocus error={atField || undefined} errorProps={{ role: 'alert' }}
            onChange={(e) => { const reference = e.currentTarget.value; setPurpose((p) => ({ ...p, reference })); }} />
        )}
        <Textarea label="Note (if it needs one)" description="Kept with the chain of custody, where a number does not say enough." value={purpose.note} maxLength={500} rows={2}
          onChange={(e) => { const note = e.currentTarget.value; setPurpose((p) => ({ ...p, note })); }} />
        <Group justify="space-between">
          <span className="dim">This look is recorded under your name.</span>
          <Button type="submit" loading={busy}>Watch</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Case number → case number; FOI number stays as it is. */
const lowerFirst = (s: string) => (/^[A-Z][a-z]/.test(s) ? s.charAt(0).toLowerCase() + s.slice(1) : s);
