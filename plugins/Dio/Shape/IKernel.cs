using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;

namespace NicHost.Dio.Shape;

/// <summary>One kernel's way of doing it. Stateless; nothing outside is touched until a NIC is started.</summary>
internal interface IKernel
{
    /// <summary>What of the options does not hold on this kernel.</summary>
    void Check(DioOptions options, ICollection<OptionFault> faults);

    /// <inheritdoc cref="IEndpointFactory.Claims"/>
    IReadOnlyList<ResourceClaim> Claims(EndpointContext context, DioSettings settings);

    /// <summary>A NIC that is not started.</summary>
    IKernelNic CreateNic(EndpointContext context, DioSettings settings);

    /// <inheritdoc cref="IHostPreparation.Prepare"/>
    IReadOnlyList<string> Prepare(EndpointContext context, DioSettings settings, uint user);

    /// <inheritdoc cref="IHostPreparation.Undo"/>
    IReadOnlyList<string> Undo(EndpointContext context, DioSettings settings);
}
