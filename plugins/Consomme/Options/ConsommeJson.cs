using System.Text.Json.Serialization;

namespace NicHost.Consomme.Options;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(ConsommeOptions))]
internal sealed partial class ConsommeJson : JsonSerializerContext;
