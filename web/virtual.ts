// Rows that are drawn only where they are seen, in a box that scrolls.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** The rows in sight of `count` rows, each `height` pixels high, in the box `frame`. */
export function useVirtual(frame: { readonly current: HTMLDivElement | null }, count: number, height: number): Virtualizer<HTMLDivElement, HTMLDivElement> {
  const [, again] = useState(0);
  const [virtual] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options()));
  function options() {
    return {
      count, getScrollElement: () => frame.current, estimateSize: () => height, overscan: 6, observeElementRect, observeElementOffset, scrollToFn: elementScroll,
      onChange: () => again((n) => n + 1),
    };
  }
  virtual.setOptions(options());
  useEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => virtual._willUpdate());
  return virtual;
}
