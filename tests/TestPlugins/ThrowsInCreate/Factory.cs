using System.ComponentModel;
using System.Text.Json.Serialization;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ThrowsInCreate;

/// <summary>Endpoints that cannot be made.</summary>
[EndpointKind("throws-in-create")]
public sealed class Factory : IEndpointFactory
{
    private readonly OptionsModel<ThrowsInCreateOptions> _options = new(ThrowsInCreateJson.Default.ThrowsInCreateOptions);

    public OptionsModel Options => _options;

    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var condition = _options.Bind(context.Options).WhileExists;
        if (condition is not null && !File.Exists(Path.GetFullPath(condition, context.BaseDirectory))) return new Endpoint();
        throw new InvalidOperationException("This endpoint cannot be made.");
    }

    private sealed class Endpoint : QuietEndpoint;
}

internal sealed record ThrowsInCreateOptions
{
    [Description("It throws only as long as this file exists, so that it can pass a check and fail later. Left out: always.")]
    public string? WhileExists { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ThrowsInCreateOptions))]
internal sealed partial class ThrowsInCreateJson : JsonSerializerContext;
