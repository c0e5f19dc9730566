import { Anchor } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link } from 'react-router';
import { Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';

export function NotFoundPage() {
  useTitle('No such page');
  return (
    <Notice icon={IconMapQuestion} title="There is no such page" page action={<Anchor component={Link} to="/">Go to the first page</Anchor>}>
      The address may have been cut when it was copied.
    </Notice>
  );
}
