import type { Schedule } from './schedule.ts';

/** What the configuration says about workloads with the label `kube-autorollout/enabled`. */
export interface AutorolloutSettings {
  /** When their tags are looked at; ticks that come while one still runs are merged. */
  readonly schedule: Schedule;
  /** `platform`: only a change for the platforms of the running pods counts. `index`: any digest outside the set of the tag does. */
  readonly compare: 'platform' | 'index';
  /** Restart by `kubectl.kubernetes.io/restartedAt` instead of `kube-autorollout/restartedAt`. */
  readonly kubectlAnnotation: boolean;
}

export const defaultAutorolloutSettings: AutorolloutSettings = {
  schedule: { kind: 'cron', expression: '*/45 * * * * *', timeZone: 'UTC' },
  compare: 'platform',
  kubectlAnnotation: false,
};
