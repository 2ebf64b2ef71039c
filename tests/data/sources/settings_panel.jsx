import React, { useEffect, useState } from 'react';
import { saveSettings } from './api';

const THEMES = ['light', 'dark', 'system'];

function Field({ label, hint, children }) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
      {/* The hint is read out after the value. */}
      {hint && <small>It's {hint} &mdash; see {`docs/${hint}`}</small>}
    </label>
  );
}

export default function SettingsPanel({ user, onClose }) {
  const [settings, setSettings] = useState(user.settings);
  const [error, setError] = useState(null);
  const dirty = settings !== user.settings;

  useEffect(() => {
    if (!dirty) {
      return undefined;
    }
    const warn = (event) => {
      event.preventDefault();
      event.returnValue = '';
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [dirty]);

  const change = (name) => (event) => {
    const { type, checked, value } = event.target;
    setSettings({ ...settings, [name]: type === 'checkbox' ? checked : value });
  };

  async function submit(event) {
    event.preventDefault();
    try {
      await saveSettings(user.id, settings);
      onClose();
    } catch (failure) {
      setError(failure.message);
    }
  }

  return (
    <form onSubmit={submit} aria-busy={false}>
      {error ? (
        <p role="alert">
          Could not save: {error}. <a href="/help">Why?</a>
        </p>
      ) : null}
      <Field label="Theme" hint="themes">
        <select value={settings.theme} onChange={change('theme')}>
          {THEMES.map((theme) => (
            <option key={theme} value={theme}>
              {theme}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Send reports">
        <input type="checkbox" checked={settings.reports} onChange={change('reports')} />
      </Field>
      <>
        <button type="submit" disabled={!dirty}>Save</button>
        <button type="button" onClick={() => {
          setSettings(user.settings);
          onClose();
        }}>
          Cancel
        </button>
      </>
    </form>
  );
}
