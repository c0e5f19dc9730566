import { Switch } from '@mantine/core';
import { Dialogue } from '../parts/Dialogue';
import { setShortcutsOn, useShortcutsOn } from '../parts/keys';
import styles from './Shortcuts.module.css';

const groups: { name: string; keys: [string[], string][] }[] = [
  { name: 'Everywhere', keys: [[['/'], 'Find recordings'], [['?'], 'This list']] },
  {
    name: 'Recordings',
    keys: [[['J', '↓'], 'Next recording'], [['K', '↑'], 'Previous recording'], [['←', '→'], 'Left, right in the grid'], [['Enter'], 'Open']],
  },
  {
    name: 'Player',
    keys: [
      [['Space', 'K'], 'Play or pause'], [['J', 'L'], 'Back 10 s, forward 10 s'], [['[', ']'], 'Slower, faster'], [['←', '→'], 'Back or forward 5 s'],
      [[',', '.'], 'One frame back, one frame on'], [['Home', 'End'], 'Start, end'], [['↑', '↓'], 'Volume'], [['M'], 'Sound off, on'], [['F'], 'Full screen'],
    ],
  },
];

export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const on = useShortcutsOn();
  return (
    <Dialogue opened={opened} onClose={onClose} title="Keyboard shortcuts" size="lg">
      <div className={styles.groups}>
        {groups.map((g) => (
          <section key={g.name}>
            <h3>{g.name}</h3>
            <dl className={styles.keys}>
              {g.keys.map(([keys, does]) => (
                <div key={does}>
                  <dt>{keys.map((k) => <kbd key={k}>{k}</kbd>)}</dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        mt="md"
        label="Use single-key shortcuts on this computer"
        description="Switch them off if you dictate, or if keys are pressed by accident."
        checked={on}
        onChange={(e) => setShortcutsOn(e.currentTarget.checked)}
      />
    </Dialogue>
  );
}
