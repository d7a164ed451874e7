using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;

namespace NicHost.Dio.Windows;

/// <summary>Windows: virtual switches of Hyper-V, by direct I/O.</summary>
internal sealed class WindowsKernel(IVmSwitch windows) : IKernel
{
    public void Check(DioOptions options, ICollection<OptionFault> faults) => DioSettings.CheckWindows(options, faults);

    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context, DioSettings settings) =>
        Guid.TryParse(settings.Port.Id, out var port) ? [new ResourceClaim($"switch port {port}", "$.port.id")] : [];

    public IKernelNic CreateNic(EndpointContext context, DioSettings settings) => new VmSwitchNic(context, settings, windows);

    public IReadOnlyList<string> Prepare(EndpointContext context, DioSettings settings, uint user) => [Nothing];

    public IReadOnlyList<string> Undo(EndpointContext context, DioSettings settings) => [Nothing];

    private const string Nothing = "its NIC and its port live as long as the host: nothing to prepare";
}
