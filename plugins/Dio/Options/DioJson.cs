using System.Text.Json.Serialization;

namespace NicHost.Dio.Options;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(DioOptions))]
internal sealed partial class DioJson : JsonSerializerContext;
