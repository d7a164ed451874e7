using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;
using NicHost.Dio.Tap;
using NicHost.Dio.Windows;

namespace NicHost.Dio;

/// <summary>Makes the endpoint of kind <c>dio</c> on the kernel that the host runs on.</summary>
[EndpointKind("dio")]
public sealed class DioFactory : IEndpointFactory, IHostPreparation
{
    private readonly IKernel _kernel;
    private readonly OptionsModel<DioOptions> _model;

    /// <summary>For this kernel.</summary>
    public DioFactory() : this(OperatingSystem.IsWindows() ? new WindowsKernel(new VmSwitch()) : new LinuxKernel()) { }

    internal DioFactory(IKernel kernel)
    {
        _kernel = kernel;
        _model = new(DioJson.Default.DioOptions, (options, faults) => DioSettings.Read(options, kernel, faults));
    }

    /// <inheritdoc/>
    public OptionsModel Options => _model;

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(EndpointContext context) => _kernel.Claims(context, Settings(context));

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context) => new DioEndpoint(context, _kernel.CreateNic(context, Settings(context)));

    /// <inheritdoc/>
    public IReadOnlyList<string> Prepare(EndpointContext context, uint user) => _kernel.Prepare(context, Settings(context), user);

    /// <inheritdoc/>
    public IReadOnlyList<string> Undo(EndpointContext context) => _kernel.Undo(context, Settings(context));

    /// <summary>The options of a context, understood.</summary>
    private DioSettings Settings(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return DioSettings.Read(_model.Bind(context.Options), _kernel, []);
    }
}
