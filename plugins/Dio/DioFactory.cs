using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;
using NicHost.Dio.Tap;

namespace NicHost.Dio;

/// <summary>Makes the endpoint of kind <c>dio</c>.</summary>
[EndpointKind("dio")]
public sealed class DioFactory : IEndpointFactory, IHostPreparation
{
    private static readonly OptionsModel<DioOptions> Model =
        new(DioJson.Default.DioOptions, static (options, faults) => DioSettings.Read(options, faults));

    /// <inheritdoc/>
    public OptionsModel Options => Model;

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context)
    {
        var nic = Settings(context).Nic;
        if (nic.Socket is { } socket) return [new ResourceClaim($"socket {Path.GetFullPath(socket, context.BaseDirectory)}", "$.nic.socket")];
        return nic.Name is { } name ? [new ResourceClaim($"interface {name}", "$.nic.name")] : [];
    }

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context)
    {
        var settings = Settings(context);
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("The dio endpoint runs on Linux only.");
        return new DioEndpoint(context, new TapNic(context, settings));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Prepare(EndpointContext context, uint user) => Preparation(context).Prepare(user);

    /// <inheritdoc/>
    public IReadOnlyList<string> Undo(EndpointContext context) => Preparation(context).Undo();

    private static Preparation Preparation(EndpointContext context) => OperatingSystem.IsLinux() ? new Preparation(context, Settings(context))
        : throw new PlatformNotSupportedException("There is nothing to prepare but on Linux.");

    /// <summary>The options of a context, understood.</summary>
    internal static DioSettings Settings(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return DioSettings.Read(Model.Bind(context.Options), []);
    }
}
