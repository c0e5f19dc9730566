import { Anchor, Tabs } from '@mantine/core';
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { IconArrowLeft, IconBookmark } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { Problem } from '../../api/client';
import type { Detail } from '../../api/types';
import { useLive } from '../../app/live';
import { daysQuery, historyQuery, recordingQuery, useMe } from '../../app/queries';
import { Badge, ClassBadge, MediaBadge } from '../../parts/badges';
import { Failure, Loading } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { categoryName, officerName } from '../../words/names';
import { ago, dayTime, length, plural } from '../../words/time';
import { dropFromLists } from '../recordings/useRecordings';
import { Copies } from './Copies';
import { Custody } from './Custody';
import { Details } from './Details';
import styles from './RecordingPage.module.css';
import { useCheck } from './useCheck';
import { Verdict } from './Verdict';
import { Viewer } from './Viewer';

/** One recording: the footage, where it comes from, and everything that was done with it. */
export function RecordingPage() {
  const { id = '' } = useParams();
  const { data, error, refetch, isFetching } = useQuery(recordingQuery(id));
  useTitle(data ? `${officerName(data.officer)}, ${dayTime(data.startedAt)}` : 'Recording');
  const hidden = error instanceof Problem && ['not_found', 'denied'].includes(error.code);
  const client = useQueryClient();
  useEffect(() => {
    if (hidden) forget(client, id);
  }, [client, hidden, id]);
  // What may no longer be known of is not shown from memory either.
  if (data && !hidden) return <Page key={id} detail={data} />;
  if (error) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  return <Loading page what="the recording" />;
}

/** A recording as it was before is not kept in this browser once it is hidden: no list shows it, and nothing of it stays behind. */
function forget(client: QueryClient, id: string) {
  dropFromLists(client, id);
  client.removeQueries({ queryKey: historyQuery(id).queryKey });
  void client.invalidateQueries({ queryKey: daysQuery.queryKey });
}

function Page({ detail }: { detail: Detail }) {
  const client = useQueryClient();
  const me = useMe();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const [came] = useState(() => (window.history.state as { idx?: number } | null)?.idx ?? 0);
  const check = useCheck(detail.id);
  const asked = params.get('tab') ?? '';
  const tabs = ['details', ...(detail.can.trail ? ['custody'] : []), 'copies'];
  const tab = tabs.includes(asked) ? asked : 'details';
  const show = (t: string | null) => setParams(t && t !== 'details' ? { tab: t } : {}, { replace: true, preventScrollReset: true });
  const renew = () => void client.invalidateQueries({ queryKey: recordingQuery(detail.id).queryKey });
  useLive('recordings', ({ id }) => id === detail.id && renew());
  useLive('work', ({ recording }) => recording === detail.id && renew());

  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <Anchor
          component={Link}
          to="/recordings"
          className={styles.back}
          onClick={(e) => {
            // Back to the very list, filter and place that this recording was opened from.
            if (came > 0 && !e.metaKey && !e.ctrlKey) {
              e.preventDefault();
              void navigate(-1);
            }
          }}
        >
          <IconArrowLeft size={16} aria-hidden /> Recordings
        </Anchor>
        <div className={styles.title}>
          <h1>{officerName(detail.officer)}<span className={styles.when}>{dayTime(detail.startedAt)}</span></h1>
          <Badge tone="plain">{categoryName(detail.category)}</Badge>
          <MediaBadge state={detail.state} why={detail.why} />
          <ClassBadge of={detail.kept.class} />
          {detail.kept.holdRequests.length > 0 && <Badge tone="warn" icon={IconBookmark}>Hold requested</Badge>}
          {detail.can.trail && <Verdict check={check} onClick={() => { show('custody'); if (!check.report && !check.running) check.run(); }} />}
        </div>
        <p className={styles.facts}>
          <span>Camera {detail.device}</span>
          {detail.durationMs > 0 && <span>{length(detail.durationMs)}</span>}
          <span>{plural(detail.segmentCount, 'segment')}</span>
          {detail.can.trail && me.can.auditBasic && <span>{detail.lastViewed ? `Last viewed by ${detail.lastViewed.by}, ${ago(detail.lastViewed.at)}` : 'Not viewed yet'}</span>}
        </p>
      </header>
      <div className={styles.body}>
        <div className={styles.main}><Viewer detail={detail} /></div>
        <Tabs value={tab} onChange={show} className={styles.side} keepMounted={false} classNames={{ list: styles.tabs }}>
          <Tabs.List aria-label="About this recording">
            <Tabs.Tab value="details">Details</Tabs.Tab>
            {detail.can.trail && <Tabs.Tab value="custody">Custody</Tabs.Tab>}
            <Tabs.Tab value="copies">Working copies</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="details"><Details detail={detail} /></Tabs.Panel>
          {detail.can.trail && <Tabs.Panel value="custody"><Custody id={detail.id} check={check} /></Tabs.Panel>}
          <Tabs.Panel value="copies"><Copies detail={detail} /></Tabs.Panel>
        </Tabs>
      </div>
    </div>
  );
}
