using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;

namespace NicHost.Dio.Tap;

/// <summary>Linux: TAPs, bridges, Open vSwitch.</summary>
internal sealed class LinuxKernel : IKernel
{
    public void Check(DioOptions options, ICollection<OptionFault> faults) => DioSettings.CheckLinux(options, faults);

    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context, DioSettings settings)
    {
        var nic = settings.Nic;
        if (nic.Socket is { } socket) return [new ResourceClaim($"socket {Path.GetFullPath(socket, context.BaseDirectory)}", "$.nic.socket")];
        return nic.Name is { } name ? [new ResourceClaim($"interface {name}", "$.nic.name")] : [];
    }

    public IKernelNic CreateNic(EndpointContext context, DioSettings settings) => new TapNic(context, settings);

    public IReadOnlyList<string> Prepare(EndpointContext context, DioSettings settings, uint user) => new Preparation(context, settings).Prepare(user);

    public IReadOnlyList<string> Undo(EndpointContext context, DioSettings settings) => new Preparation(context, settings).Undo();
}
