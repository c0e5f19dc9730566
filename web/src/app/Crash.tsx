import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Notice } from '../parts/states';

/** Stands in for a page that failed while drawing itself. */
export function Crash() {
  return (
    <Notice
      icon={IconAlertTriangle}
      title="This page has failed"
      tone="bad"
      page
      action={<Button variant="default" onClick={() => window.location.reload()}>Load the page again</Button>}
    >
      <p>The fault is in the page, not in what it shows: no recording was changed. If it happens again, tell your service desk what you were doing.</p>
    </Notice>
  );
}
