// What telemetry says about who sends it: the SDK's own words, choo's name, and over these what the user's environment says.

import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win. */
export function resourceFor(version: string): Resource {
  return defaultResource().merge(resourceFromAttributes({ 'service.name': 'choo', 'service.version': version })).merge(detectResources({ detectors: [envDetector] }));
}
