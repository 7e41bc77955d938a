// @ts-check
/** Reads address and code from the dashboard's QR code. What the camera sees stays in this page. */

import { find, setHidden, setText } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { readPairing } from '../shared/pairing.js';
import { BarcodeDetector } from '../vendor/qr/decode.js';
import { fillIn, showResult } from './servers.js';

const LOOK_EVERY_MS = 150;

const button = find('scan', HTMLButtonElement);
const video = find('camera', HTMLVideoElement);
/** @type {MediaStream | null} */
let camera = null;

/** @param {MediaStream} stream until it ends or a code of ours is found */
async function lookFor(stream) {
  const detector = new BarcodeDetector();
  while (stream.active) {
    const [seen] = video.readyState >= video.HAVE_CURRENT_DATA ? await detector.detect(video) : [];
    const pairing = seen && readPairing(seen.rawValue);
    if (pairing && stream.active) return pairing;
    if (seen) showResult('pair-result', 'error', t('optionsScanOther'));
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  return null;
}

async function scan() {
  button.disabled = true; // while the browser asks
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } } });
  } catch (error) {
    const isRefused = error instanceof DOMException && error.name === 'NotAllowedError';
    showResult('pair-result', 'error', t(isRefused ? 'optionsScanNotAllowed' : 'optionsScanFailed'));
    return;
  } finally {
    button.disabled = false;
  }
  show(camera);
  showResult('pair-result', 'pending', t('optionsScanHold'));
  const pairing = await lookFor(camera).finally(stop);
  if (pairing) fillIn(pairing);
  else showResult('pair-result', 'pending', '');
}

function stop() {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  show(null);
}

/** @param {MediaStream | null} stream */
function show(stream) {
  video.srcObject = stream;
  setHidden(video, !stream);
  setText(button, t(stream ? 'optionsScanStop' : 'optionsScan'));
}

async function showWhetherThereIsACamera() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  setHidden(button, !devices.some(({ kind }) => kind === 'videoinput'));
}

export function startScan() {
  button.onclick = () => (camera ? stop() : void scan());
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) stop();
  });
  navigator.mediaDevices.addEventListener('devicechange', () => void showWhetherThereIsACamera());
  void showWhetherThereIsACamera();
}
