/** What components use of the outside world, made once by `main.tsx` and handed down: nothing is global. */
import { createContext, useContext } from "react";
import type { Api } from "./api";
import type { KeyRing } from "./keys";
import type { Songs } from "./songs/songs";

export interface Services {
  readonly api: Api;
  readonly keys: KeyRing;
  readonly songs: Songs;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("there are no services here: render below <ServicesContext>");
  return services;
}
