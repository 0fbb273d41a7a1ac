import { openMemoryRuns } from "../../../src/adapters/runs/memory/adapter.ts";
import { openRunMemory } from "../../../src/adapters/runs/memory/kept.ts";
import { describeRuns } from "../../ports/runs.contract.ts";

const memory = openRunMemory();
describeRuns("memory", () => Promise.resolve(openMemoryRuns(memory)));
