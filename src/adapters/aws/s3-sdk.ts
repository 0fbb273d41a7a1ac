// In the bundle `import()` of a CommonJS package gives no named exports; a static import in a file that is itself loaded late does.
export { S3 } from "@aws-sdk/client-s3";
