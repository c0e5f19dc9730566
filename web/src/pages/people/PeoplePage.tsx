import { Button, NativeSelect, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { IconFileImport, IconSearch, IconUserOff, IconUserPlus, IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, type PeopleFilter } from '../../api/client';
import { unitsQuery } from '../../app/queries';
import { Badge } from '../../parts/badges';
import styles from '../../parts/Register.module.css';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { useRested } from '../../parts/rested';
import { ago, plural } from '../../words/time';
import { unitChoices, unitName } from '../../words/units';
import { AddPerson } from './AddPerson';
import { ImportPeople } from './ImportPeople';

/** Everybody with an account: found, added, imported. */
export function PeoplePage() {
  useTitle('People');
  const [filter, setFilter] = useState({ text: '', unit: '', role: '', state: 'open' });
  const [dialogue, setDialogue] = useState<'add' | 'import' | ''>('');
  const asked: PeopleFilter = { ...filter, text: useRested(filter.text) };
  const units = useQuery(unitsQuery);
  const { data, error, refetch, isFetching, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['people', 'list', asked],
    queryFn: ({ pageParam, signal }) => api.people(asked, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.people.length === 100 ? last.people.at(-1)?.login : undefined,
    placeholderData: keepPreviousData,
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the people" />;
  const people = data.pages.flatMap((p) => p.people);
  const [first] = data.pages;
  const roles = first?.roles ?? [];
  const set = (change: Partial<typeof filter>) => setFilter((f) => ({ ...f, ...change }));

  return (
    <>
      <div className={styles.head}>
        <div className={styles.titles}>
          <h1>People</h1>
          <p role="status">{plural(first?.total ?? 0, 'person', 'people')}</p>
        </div>
        <div className={styles.actions}>
          <Button variant="default" leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setDialogue('import')}>Import</Button>
          <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setDialogue('add')}>Add a person</Button>
        </div>
      </div>
      <form className={styles.filter} role="search" aria-label="People" onSubmit={(e) => e.preventDefault()}>
        <TextInput label="Search" placeholder="Name, sign-in name or collar number" leftSection={<IconSearch size={15} aria-hidden />} value={filter.text} maxLength={100} spellCheck={false}
          onChange={(e) => set({ text: e.currentTarget.value })} />
        <NativeSelect label="Unit" value={filter.unit} onChange={(e) => set({ unit: e.currentTarget.value })} data={[{ value: '', label: 'All units' }, ...unitChoices(units.data ?? [])]} />
        <NativeSelect label="Role" value={filter.role} onChange={(e) => set({ role: e.currentTarget.value })} data={[{ value: '', label: 'All roles' }, ...roles.map((r) => ({ value: r.role, label: r.name }))]} />
        <NativeSelect label="Accounts" value={filter.state} onChange={(e) => set({ state: e.currentTarget.value })}
          data={[{ value: 'open', label: 'Open' }, { value: 'closed', label: 'Closed' }, { value: '', label: 'Open and closed' }]} />
      </form>
      {people.length === 0 ? (
        <Notice icon={IconUsers} title="Nobody fits">There is no account with these words, unit and role. Take one of them away, or add the person.</Notice>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label="List of people">
          <table className={styles.table}>
            <thead><tr><th scope="col">Name</th><th scope="col">Number</th><th scope="col">Unit</th><th scope="col">Role</th><th scope="col">Last active</th></tr></thead>
            <tbody>
              {people.map((p) => (
                <tr key={p.id}>
                  <td><Link to={`/people/${p.id}`}>{p.name}</Link><span className={styles.small}>{p.login}</span></td>
                  <td>{p.number || <span className="dim">none</span>}</td>
                  <td>{p.unit ? unitName(units.data, p.unit) : <span className="dim">none</span>}{p.lead && <span className={styles.small}>leads it</span>}</td>
                  <td><span className={styles.badges}>{p.roleName}{p.disabled && <Badge tone="warn" icon={IconUserOff}>Closed</Badge>}</span></td>
                  <td>{ago(p.activeAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {hasNextPage && <div className={styles.foot}><Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more</Button></div>}
        </div>
      )}
      <AddPerson opened={dialogue === 'add'} onClose={() => setDialogue('')} roles={roles} units={units.data ?? []} />
      <ImportPeople opened={dialogue === 'import'} onClose={() => setDialogue('')} />
    </>
  );
}
