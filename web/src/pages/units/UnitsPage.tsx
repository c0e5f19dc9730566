import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconArchive, IconPlus, IconSitemap } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../../api/client';
import type { Unit } from '../../api/types';
import { unitsQuery } from '../../app/queries';
import { Badge } from '../../parts/badges';
import { Form } from '../../parts/Form';
import styles from '../../parts/Register.module.css';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { day, plural } from '../../words/time';
import { open, tree, unitChoices, unitName, withBelow } from '../../words/units';
import own from './UnitsPage.module.css';

type Asked = { what: 'add'; parent: string } | { what: 'change' | 'close'; unit: Unit } | undefined;

/** The force as a tree of units. */
export function UnitsPage() {
  useTitle('Units');
  const { data, error, refetch, isFetching } = useQuery(unitsQuery);
  const [asked, setAsked] = useState<Asked>();
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the units" />;
  const close = () => setAsked(undefined);
  const busy = (u: Unit) => u.people > 0 || data.some((x) => x.parent === u.id && open(x));
  return (
    <>
      <div className={styles.head}>
        <div className={styles.titles}><h1>Units</h1><p>{plural(data.filter(open).length, 'open unit')}</p></div>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAsked({ what: 'add', parent: '' })}>Add a unit</Button>
      </div>
      {data.length === 0 ? (
        <Notice icon={IconSitemap} title="There are no units yet">Add the force itself first, then the units below it. People are posted to units, and supervisors see the footage of theirs.</Notice>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label="Tree of units">
          <table className={`${styles.table} ${own.table}`}>
            <thead><tr><th scope="col">Unit</th><th scope="col">Led by</th><th scope="col">People</th><th scope="col"><span className="hidden">Actions</span></th></tr></thead>
            <tbody>
              {tree(data).map(({ unit: u, depth }) => (
                <tr key={u.id}>
                  <td>
                    <div className={own.unit} data-depth={Math.min(depth, 6)}>
                      {depth > 0 && <span className="hidden">Level {depth + 1}: </span>}
                      <span><strong>{u.name}</strong> <span className="dim">{u.code}</span></span>
                      {!open(u) && <Badge tone="plain" icon={IconArchive}>Closed {u.closedAt && day(u.closedAt)}</Badge>}
                    </div>
                  </td>
                  <td>{u.leads.join(', ') || <span className="dim">nobody</span>}</td>
                  <td>{u.people}</td>
                  <td>
                    {open(u) && (
                      <div className={own.actions}>
                        <Button size="xs" variant="subtle" onClick={() => setAsked({ what: 'add', parent: u.id })}>Add below<span className="hidden"> {u.name}</span></Button>
                        <Button size="xs" variant="subtle" onClick={() => setAsked({ what: 'change', unit: u })}>Rename or move<span className="hidden"> {u.name}</span></Button>
                        {!busy(u) && <Button size="xs" variant="subtle" onClick={() => setAsked({ what: 'close', unit: u })}>Close<span className="hidden"> {u.name}</span></Button>}
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {asked?.what === 'add' && <Add parent={asked.parent} units={data} onClose={close} />}
      {asked?.what === 'change' && <Change unit={asked.unit} units={data} onClose={close} />}
      {asked?.what === 'close' && (
        <Form opened onClose={close} title="Close the unit?" action="Close it" ready harm send={() => api.closeUnit(asked.unit.id)} changes={[['units']]}>
          <p>{asked.unit.name} cannot be opened again and its code {asked.unit.code} is not used for another. Who was posted to it, and whose footage was the unit’s, stays on record.</p>
        </Form>
      )}
    </>
  );
}

function Add({ parent: below, units, onClose }: { parent: string; units: Unit[]; onClose: () => void }) {
  const [unit, setUnit] = useState({ name: '', code: '', parent: below });
  const set = (change: Partial<typeof unit>) => setUnit((old) => ({ ...old, ...change }));
  return (
    <Form opened onClose={onClose} title="Add a unit" action="Add" ready={unit.name.trim() !== '' && unit.code.trim() !== ''} send={() => api.addUnit(unit)} changes={[['units']]}>
      <TextInput label="Name" value={unit.name} maxLength={128} required data-autofocus onChange={(e) => set({ name: e.currentTarget.value })} />
      <TextInput label="Code" description="Short, for lists and imports; it is never used again" value={unit.code} maxLength={16} required autoComplete="off" spellCheck={false} onChange={(e) => set({ code: e.currentTarget.value })} />
      <NativeSelect label="Below" value={unit.parent} onChange={(e) => set({ parent: e.currentTarget.value })} data={[{ value: '', label: 'Nothing: at the top' }, ...unitChoices(units)]} />
    </Form>
  );
}

function Change({ unit: u, units, onClose }: { unit: Unit; units: Unit[]; onClose: () => void }) {
  const [name, setName] = useState(u.name);
  const [parent, setParent] = useState(u.parent ?? '');
  const renamed = name.trim() !== u.name;
  const moved = parent !== (u.parent ?? '');
  return (
    <Form opened onClose={onClose} title={`Rename or move ${u.name}`} action="Change" ready={name.trim() !== '' && (renamed || moved)} changes={[['units'], ['people']]}
      send={() => api.changeUnit(u.id, { name: renamed ? name : undefined, parent: moved ? parent : undefined })}>
      <TextInput label="Name" value={name} maxLength={128} required data-autofocus onChange={(e) => setName(e.currentTarget.value)} />
      <NativeSelect label="Below" description="All units below it move with it" value={parent} onChange={(e) => setParent(e.currentTarget.value)} data={[{ value: '', label: 'Nothing: at the top' }, ...unitChoices(units, withBelow(units, u.id))]} />
      {moved && <p className="dim">Whoever leads {unitName(units, parent) || 'no unit above it'} or a unit above that then supervises {u.name}, for footage made before too.</p>}
    </Form>
  );
}
