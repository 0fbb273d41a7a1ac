import { memoryVectors } from "../helpers/memory-vectors.ts";
import { describeVectorService } from "./vector-service.contract.ts";

const place = memoryVectors();
describeVectorService("memory", () => place, { text: "equal" });
