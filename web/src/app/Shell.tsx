import { Popover, SegmentedControl, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import {
  IconBookmark,
  IconChevronDown, IconDeviceDesktop, IconDeviceUsb, IconFolder, IconHistory, IconKey, IconKeyboard, IconLogout, IconMoon, IconPlugConnectedX, IconServer2, IconSitemap, IconSun, IconUsers, IconUsersGroup, IconVideo,
  type Icon,
} from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { NavLink, Outlet, ScrollRestoration, useLocation, useNavigate } from 'react-router';
import { api } from '../api/client';
import type { Me } from '../api/types';
import { useKeys } from '../parts/keys';
import { Logo } from '../parts/Logo';
import { EmergencyAlert, EmergencyBanner, TakeEmergency } from './BreakGlass';
import { useLiveState } from './live';
import { meQuery, useMe } from './queries';
import styles from './Shell.module.css';
import { WaitingCount } from './WaitingCount';
import { Shortcuts } from './Shortcuts';

interface Entry {
  to: string;
  label: string;
  icon: Icon;
  needs: keyof Me['can'];
}

const menu: Entry[] = [
  { to: '/recordings', label: 'Recordings', icon: IconVideo, needs: 'recordings' },
  { to: '/cases', label: 'Cases', icon: IconFolder, needs: 'cases' },
  { to: '/trail', label: 'Trail', icon: IconHistory, needs: 'auditFull' },
  { to: '/holds', label: 'Holds', icon: IconBookmark, needs: 'holds' },
  { to: '/docks', label: 'Docks', icon: IconDeviceUsb, needs: 'docks' },
  { to: '/people', label: 'People', icon: IconUsers, needs: 'people' },
  { to: '/units', label: 'Units', icon: IconSitemap, needs: 'people' },
  { to: '/approvals', label: 'Approvals', icon: IconUsersGroup, needs: 'approvals' },
  { to: '/system', label: 'System', icon: IconServer2, needs: 'system' },
];

/** What stands around every page: classification, menu, account. */
export function Shell() {
  const me = useMe();
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const entries = menu.filter((e) => me.can[e.needs]);

  useKeys({
    '?': () => void setHelp(true),
    '/': () => {
      if (!me.can.recordings) return false;
      void navigate('/recordings', { state: { focus: 'search' } });
    },
  });

  return (
    <div className={styles.shell}>
      <a className="skip" href="#main">Skip to the page</a>
      <header className={styles.header}>
        <p className={styles.banner}>
          <strong>{me.classification}</strong>
          {me.force && <span>{me.force}</span>}
        </p>
        <div className={styles.bar}>
          <NavLink to="/" className={styles.brand}><Logo /> Custos</NavLink>
          <Broken />
          <Account me={me} onHelp={() => setHelp(true)} />
        </div>
      </header>
      <nav className={styles.nav} aria-label="Main">
        {entries.map(({ to, label, icon: Mark }) => (
          <NavLink key={to} to={to} className={styles.entry}>
            <Mark size={20} stroke={1.7} aria-hidden />
            <span>{label}</span>
            {to === '/approvals' && <WaitingCount />}
          </NavLink>
        ))}
        {me.can.breakGlass && <TakeEmergency className={styles.entry} />}
      </nav>
      <Main />
      <Shortcuts opened={help} onClose={() => setHelp(false)} />
      <ScrollRestoration />
    </div>
  );
}

/** The page itself; the focus moves here when another page is opened, so that a screen reader starts reading there. */
function Main() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return <main id="main" ref={main} tabIndex={-1} className={styles.main}><EmergencyBanner /><EmergencyAlert /><Outlet /></main>;
}

/** Says that nothing new arrives while the event stream is broken. Short breaks are not worth a word. */
function Broken() {
  const connected = useLiveState();
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (connected) return;
    const timer = window.setTimeout(() => setLate(true), 3000);
    return () => {
      window.clearTimeout(timer);
      setLate(false);
    };
  }, [connected]);
  return (
    <p className={styles.broken} role="status">
      {!connected && late && <><IconPlugConnectedX size={17} aria-hidden /> <span>No connection. Trying again …</span></>}
    </p>
  );
}

const themes: { value: MantineColorScheme; label: string; icon: Icon }[] = [
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'auto', label: 'System', icon: IconDeviceDesktop },
];

function Account({ me, onHelp }: { me: Me; onHelp: () => void }) {
  const client = useQueryClient();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useMutation({
    mutationFn: api.signOut,
    onSettled: () => {
      client.clear();
      client.setQueryData(meQuery.queryKey, null);
      window.location.assign('/sign-in');
    },
  });
  const [opened, setOpened] = useState(false);
  return (
    <Popover position="bottom-end" width={270} shadow="md" withinPortal={false} opened={opened} onChange={setOpened} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={styles.account} onClick={() => setOpened((o) => !o)}>
          <span className={styles.who}><span className="hidden">Account of </span>{me.name}{me.number && <span className={styles.number}> {me.number}</span>}</span>
          <IconChevronDown size={15} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={styles.dropdown} aria-label="Account">
        <div className={styles.person}>
          <strong>{me.name}</strong>
          <span className="dim">{[me.number, me.roleName].filter(Boolean).join(' · ')}</span>
        </div>
        <div className={styles.theme}>
          <span className={styles.label} id="theme-label">Theme</span>
          <SegmentedControl
            aria-labelledby="theme-label"
            size="xs"
            fullWidth
            value={colorScheme}
            onChange={(v) => setColorScheme(v)}
            data={themes.map(({ value, label, icon: Mark }) => ({ value, label: <span className={styles.choice}><Mark size={14} aria-hidden />{label}</span> }))}
          />
        </div>
        <UnstyledButton className={styles.item} onClick={() => { setOpened(false); onHelp(); }}><IconKeyboard size={16} aria-hidden />Keyboard shortcuts<kbd aria-hidden>?</kbd></UnstyledButton>
        <UnstyledButton className={styles.item} component={NavLink} to="/account" onClick={() => setOpened(false)}><IconKey size={16} aria-hidden />How you sign in</UnstyledButton>
        <UnstyledButton className={styles.item} onClick={() => signOut.mutate()}><IconLogout size={16} aria-hidden />Sign out</UnstyledButton>
      </Popover.Dropdown>
    </Popover>
  );
}
