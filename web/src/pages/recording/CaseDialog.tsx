import { Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api } from '../../api/client';
import type { Detail, InCase } from '../../api/types';
import { ChangeDialog, ChangeForm } from './ChangeDialog';

interface Props {
  detail: Detail;
  /** the case or incident to take it out of; absent: put it into one */
  out?: InCase;
  onClose: () => void;
}

/** Puts a recording into a case or incident, or takes it out. */
export function CaseDialog({ detail, out, onClose }: Props) {
  const [number, setNumber] = useState('');
  const [note, setNote] = useState('');
  const [lacking, setLacking] = useState(false);
  const which = out?.number ?? number.trim();
  return (
    <ChangeDialog title={out ? `Take it out of ${out.number}` : 'Put it into a case or incident'} onClose={onClose}>
      <ChangeForm
        recording={detail.id}
        does={out ? 'Take out' : 'Put in'}
        effect={out
          ? <>Who sees this recording only because they work on {out.number} no longer does. The footage itself stays as it is.</>
          : <>Everybody who works on that case or incident, and whose role includes it, may then find and watch this recording.</>}
        ready={!!which}
        missing={() => setLacking(true)}
        change={() => api.combine(detail.id, { number: which, in: !out, note: note.trim() })}
        onClose={onClose}
      >
        {!out && (
          <TextInput label="Case or incident number" description="Of one that is entered here" value={number} data-autofocus autoComplete="off" spellCheck={false} maxLength={60}
            error={lacking && !which ? 'Give its number.' : undefined} errorProps={{ role: 'alert' }} onChange={(e) => setNumber(e.currentTarget.value)} />
        )}
        <Textarea label="Note (if it needs one)" description="Kept with the chain of custody" value={note} rows={2} maxLength={1000} data-autofocus={out ? true : undefined}
          onChange={(e) => setNote(e.currentTarget.value)} />
      </ChangeForm>
    </ChangeDialog>
  );
}
