/** What the contract talks about, under short names. */
import type { components } from './generated';

type Schemas = components['schemas'];

/** A struct as the server answers it: nothing is left out. */
export type Answered<T> = T extends (infer U)[]
  ? Answered<U>[]
  : T extends object
    ? { [K in keyof T]-?: Answered<Exclude<T[K], undefined>> }
    : T;

export type Dataset = Answered<Schemas['Dataset']>;
export type Version = Answered<Schemas['Version']>;
export type Sample = Answered<Schemas['Sample']>;
export type ColumnInfo = Answered<Schemas['ColumnInfo']>;
export type Facets = Answered<Schemas['Facets']>;
export type FacetValue = Answered<Schemas['FacetValue']>;
export type Progress = Answered<Schemas['Progress']>;
export type Unreadable = Version['problems'][number];
export type PublicSet = Answered<Schemas['PublicSet']>;
export type StartIngest = Schemas['StartIngest'];
export type Job = Answered<Schemas['Job']>;
export type Failure = Answered<Schemas['Failure']>;
export type JobSpec = Schemas['JobSpec'];
export type Form = Answered<Schemas['Form']>;
export type Preview = Answered<Schemas['Preview']>;
export type Outline = Answered<Schemas['Outline']>;
export type Parameter = Form['parameters'][number];
export type Resources = Form['resources'];
export type Output = Answered<Schemas['Output']>;
export type Checkpoint = Answered<Schemas['Checkpoint']>;
export type Worker = Answered<Schemas['Worker']>;
export type Curves = Answered<Schemas['Curves']>;
export type Flow = Answered<Schemas['Flow']>;
export type Step = Answered<Schemas['Step']>;
export type Part = Answered<Schemas['Part']>;
export type Code = Answered<Schemas['Code']>;
export type Comparison = Answered<Schemas['Comparison']>;
export type Environment = Answered<Schemas['Environment']>;
export type Idleness = Answered<Schemas['Idleness']>;
export type PersonUsage = Answered<Schemas['PersonUsage']>;
export type JobUsage = Answered<Schemas['JobUsage']>;
export type Holder = Answered<Schemas['Holder']>;
export type Share = Answered<Schemas['Share']>;
export type Me = Answered<Schemas['Me']>;
export type Person = Answered<Schemas['Person']>;
export type Invitation = Answered<Schemas['Invitation']>;
export type Leaving = Answered<Schemas['Leaving']>;
export type Act = Answered<Schemas['Act']>;
export type Secret = Answered<Schemas['Secret']>;
export type Sweep = Answered<Schemas['Sweep']>;
export type Trial = Answered<Schemas['Trial']>;
export type Model = Answered<Schemas['Model']>;
export type ModelVersion = Model['versions'][number];
export type Schedule = Answered<Schemas['Schedule']>;
export type Firing = Schedule['runs'][number];
export type Timing = Schedule['timing'];
export type Standby = Answered<Schemas['Standby']>;
export type Upcoming = Answered<Schemas['Upcoming']>;
export type VolumeInfo = Answered<Schemas['VolumeInfo']>;
export type PlaneInfo = Answered<Schemas['PlaneInfo']>;
export type Status = Answered<Schemas['Status']>;
export type Changes = Answered<Schemas['Changes']>;

/** The body of every error. */
export interface Problem {
  code: string;
  message: string;
}
export type Holding = Answered<Schemas['Holding']>;
export type Storage = Answered<Schemas['Storage']>;
export type Kept = Answered<Schemas['Kept']>;
