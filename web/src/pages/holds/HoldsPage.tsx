import { Anchor, Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconBookmark } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { HoldRequest } from '../../api/types';
import { holdRequestsQuery, useMe, usePurposeName } from '../../app/queries';
import { Badge } from '../../parts/badges';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { full, plural } from '../../words/time';
import styles from './HoldsPage.module.css';

/** Recordings that were watched for something that forbids to dispose of them before somebody has looked. */
export function HoldsPage() {
  useTitle('Holds');
  const list = useInfiniteQuery(holdRequestsQuery);
  const requests = list.data?.pages.flatMap((p) => p.items);
  if (list.error && !requests) return <Failure error={list.error} retry={() => void list.refetch()} busy={list.isFetching} page />;
  if (!requests) return <Loading page what="the hold requests" />;
  return (
    <>
      <div className={styles.head}>
        <h1>Holds</h1>
        {requests.length > 0 && <p className="dim">{list.hasNextPage ? `The newest ${plural(requests.length, 'request')}` : `${plural(requests.length, 'request')}, newest first`}</p>}
      </div>
      {requests.length === 0 ? (
        <Notice icon={IconBookmark} title="No hold is requested">
          When somebody watches a recording for a complaint, for misconduct, for subject access or freedom of information, a request appears here: the recording may not be
          disposed of before somebody has looked into the matter.
        </Notice>
      ) : (
        <>
          <p className={styles.about}>Each of these recordings was watched for something that forbids to dispose of it before somebody has looked into the matter.</p>
          <ul className={styles.list} aria-label="Hold requests, newest first">{requests.map((h) => <Request key={h.id} request={h} />)}</ul>
          {list.isFetchNextPageError && <p className={styles.failed} role="alert">The next ones could not be fetched: {list.error.message}</p>}
          {list.hasNextPage && <Button variant="default" fullWidth loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show more</Button>}
        </>
      )}
    </>
  );
}

function Request({ request: h }: { request: HoldRequest }) {
  const nameOf = usePurposeName();
  const { can } = useMe();
  return (
    <li className={styles.request}>
      <span className={styles.why}><Badge tone="warn" icon={IconBookmark}>{nameOf(h.purpose)}</Badge><strong>{h.reference}</strong></span>
      <span><span className="dim">Watched by </span>{h.name}<span className={styles.at}>{full(h.at)}</span></span>
      <span className={styles.recording}>
        <span className="dim">Recording</span>
        {can.recordings ? <Anchor component={Link} to={`/recordings/${h.recording}`} className="mono">{h.recording}</Anchor> : <span className="mono">{h.recording}</span>}
      </span>
    </li>
  );
}
