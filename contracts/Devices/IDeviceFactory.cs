using System.Composition;
using NicHost.Contracts.Options;

namespace NicHost.Contracts.Devices;

/// <summary>Makes devices of one kind. Stateless: the host may make and drop factories as it likes.</summary>
public interface IDeviceFactory
{
    /// <summary>The options of the <c>device</c> object.</summary>
    OptionsModel Options { get; }

    /// <summary>The queues that one device of these options wants, at least 1.</summary>
    /// <exception cref="OptionsException">The options do not hold.</exception>
    int QueueCount(DeviceContext context);

    /// <summary>Makes a device. It touches nothing outside until <see cref="IDevice.Start"/>.</summary>
    /// <exception cref="OptionsException">The options do not hold.</exception>
    IDevice Create(DeviceContext context);

    /// <summary>
    /// What a device of these options takes for itself on the host, so that two NICs that want the same are found before either starts.
    /// The options have passed <see cref="OptionsModel.Check"/>; nothing outside is touched.
    /// </summary>
    IReadOnlyList<ResourceClaim> Claims(DeviceContext context) => [];

    /// <summary>
    /// Whether a device made from <paramref name="running"/> can become one of <paramref name="wanted"/> by
    /// <see cref="IDevice.Reconfigure"/>, with its VMM attached. Both contexts have passed <see cref="OptionsModel.Check"/>; nothing outside
    /// is touched. False means that the NIC is made anew. Since 1.1.
    /// </summary>
    bool CanReconfigure(DeviceContext running, DeviceContext wanted) => false;
}

/// <summary>Exports a class as the factory of a device kind.</summary>
/// <param name="kind">The word that <c>"kind"</c> of a topology's <c>device</c> holds: lower case letters, digits, dashes.</param>
[MetadataAttribute]
[AttributeUsage(AttributeTargets.Class)]
public sealed class DeviceKindAttribute(string kind) : ExportAttribute(typeof(IDeviceFactory))
{
    /// <summary>The kind.</summary>
    public string Kind { get; } = kind;
}
