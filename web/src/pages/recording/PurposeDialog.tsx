import { Alert, Button, Group, Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import type { Purpose } from '../../api/types';
import { Dialogue } from '../../parts/Dialogue';
import { purposes } from '../../words/purposes';

interface Props {
  opened: boolean;
  onClose: () => void;
  initial: Purpose;
  /** why the server asks, in its words */
  asked: string;
  busy: boolean;
  onSubmit: (p: Purpose) => void;
}

export function PurposeDialog({ opened, onClose, ...rest }: Props) {
  return (
    <Dialogue opened={opened} onClose={onClose} title="Why do you want to watch this?" size="md">
      {opened && <PurposeForm {...rest} />}
    </Dialogue>
  );
}

function PurposeForm({ initial, asked, busy, onSubmit }: Omit<Props, 'opened' | 'onClose'>) {
  const [purpose, setPurpose] = useState(initial);
  const chosen = purposes.find((p) => p.code === purpose.code);
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    onSubmit({ ...purpose, reference: purpose.reference.trim(), note: purpose.note.trim() });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {asked && <Alert color="accent" icon={<IconInfoCircle aria-hidden />} role="alert">{asked}</Alert>}
        <Radio.Group label="Purpose" value={purpose.code} onChange={(code) => setPurpose({ ...purpose, code })}>
          <Stack gap={8} mt={6}>{purposes.map((p) => <Radio key={p.code} value={p.code} label={p.name} />)}</Stack>
        </Radio.Group>
        <TextInput label={chosen?.reference ?? 'Reference'} description="For example 42AB/8812/26" value={purpose.reference} autoComplete="off" spellCheck={false} maxLength={100} data-autofocus
          onChange={(e) => { const reference = e.currentTarget.value; setPurpose((p) => ({ ...p, reference })); }} />
        <Textarea label="Note" description="Kept with the chain of custody. Only where the reference does not say enough." value={purpose.note} maxLength={500} rows={2}
          onChange={(e) => { const note = e.currentTarget.value; setPurpose((p) => ({ ...p, note })); }} />
        <Group justify="space-between">
          <span className="dim">This look is recorded under your name.</span>
          <Button type="submit" loading={busy}>Watch</Button>
        </Group>
      </Stack>
    </form>
  );
}
